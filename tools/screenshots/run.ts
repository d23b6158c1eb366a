/*
 * `npm run screenshots [DIR]`: a picture of every page of the dashboard, in both themes and three widths, from a server with
 * believable data. `npm run screenshots -- --page /keys` for one page. In .cache/screenshots unless another place is named.
 */
import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import * as z from "zod";
import { mainHeading, signIn, startBrowser } from "#test/web/browser.ts";
import { startSeededServer } from "./seed.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const WIDTHS = [390, 820, 1440];
const HEIGHT = 900;
const THEMES = ["light", "dark"] as const;

const { values, positionals } = parseArgs({ options: { page: { type: "string" } }, allowPositionals: true });
const directory = path.resolve(positionals[0] ?? path.join(ROOT, ".cache/screenshots"));
const listed = z.array(z.string()).parse(JSON.parse(readFileSync(path.join(ROOT, "web/pages.json"), "utf8")));
const wanted = values.page === undefined ? listed : [values.page];
mkdirSync(directory, { recursive: true });

await using seeded = await startSeededServer();
const { claviger, admin, parameters } = seeded;
await using browser = await startBrowser();
await using visit = await browser.visit(claviger.url);
const page = await visit.openPage();
await page.goto("/");
await page.getByLabel("User name").waitFor();
if (values.page === undefined) await picture("sign-in");
await signIn(page, admin);
for (const each of wanted) {
  await page.goto(each.replace(/:(\w+)/g, (_whole, name: string) => parameters[name] ?? name));
  await mainHeading(page).waitFor();
  await page.locator("main [aria-busy=true]").first().waitFor({ state: "detached" });
  await picture(each === "/" ? "overview" : each.slice(1).replaceAll(/[/:]+/g, "-"));
}

async function picture(name: string): Promise<void> {
  for (const theme of THEMES)
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: HEIGHT });
      await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
      await page.waitForLoadState("load");
      const file = path.join(directory, `${name}-${theme}-${width}.png`);
      await page.screenshot({ path: file, fullPage: true, animations: "disabled" });
      console.log(path.relative(process.cwd(), file));
    }
}
