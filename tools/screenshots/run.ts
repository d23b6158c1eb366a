/*
 * `npm run screenshots [DIR]`: a picture of every page of the dashboard, in both themes and three widths, from a server with
 * believable data; with `--empty` from one that was never used. `npm run screenshots -- --page /keys` for one page. In
 * .cache/screenshots unless another place is named.
 */
import { mkdirSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import type { Page } from "playwright-core";
import { signIn, startBrowser, wholePage } from "#test/web/browser.ts";
import { addressOf, PAGE_PATHS, THEMES, WIDTHS } from "#test/web/every-page.ts";
import { type SeededServer, startEmptyServer, startSeededServer } from "#test/web/seeded.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const HEIGHT = 900;

const { values, positionals } = parseArgs({
  options: { page: { type: "string" }, empty: { type: "boolean", default: false } },
  allowPositionals: true,
});
const directory = path.resolve(positionals[0] ?? path.join(ROOT, ".cache/screenshots"));
mkdirSync(directory, { recursive: true });

await using seeded = values.empty ? undefined : await startSeededServer();
await using server = seeded ?? (await startEmptyServer());
await using browser = await startBrowser();
await using visit = await browser.visit(server.claviger.url);
const page = await visit.openPage();
await page.goto("/");
await page.getByLabel("User name").waitFor();
if (values.page === undefined) await picture("sign-in");
await signIn(page, server.admin);
// A page of one thing is nobody's on a server that has none.
const shown = seeded === undefined ? PAGE_PATHS.filter((each) => !each.includes(":")) : PAGE_PATHS;
for (const each of values.page === undefined ? shown : [values.page]) {
  await page.goto(addressOf(each, server.parameters));
  await picture(each === "/" ? "overview" : each.slice(1).replaceAll(/[/:]+/g, "-"));
}
if (values.page === undefined && seeded !== undefined) {
  await standBefore(seeded.newcomer, "must-change-password");
  await seeded.claviger.control({ method: "POST", path: "/api/v1/key/lock" });
  await page.getByRole("heading", { name: "The server is locked" }).waitFor();
  await picture("locked");
}

async function standBefore(person: SeededServer["newcomer"], name: string): Promise<void> {
  await using other = await browser.visit(server.claviger.url);
  const tab = await other.openPage();
  await tab.goto("/");
  await signIn(tab, person);
  await picture(name, tab);
}

async function picture(name: string, of: Page = page): Promise<void> {
  for (const theme of THEMES)
    for (const width of WIDTHS) {
      await of.setViewportSize({ width, height: HEIGHT });
      await of.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
      await wholePage(of);
      const file = path.join(directory, `${name}-${theme}-${width}.png`);
      await of.screenshot({ path: file, fullPage: true, animations: "disabled" });
      console.log(path.relative(process.cwd(), file));
    }
}
