import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { startClaviger } from "#test/claviger.ts";
import { adminOf, freshKey, keyApi } from "#test/seal-http/bench.ts";
import { startUpstream } from "#test/upstream.ts";
import { DASHBOARD, mainHeading, settledAdmin, signIn, startBrowser } from "./browser.ts";

const MINUTES = { timeout: 240_000 };
const PAGES: readonly string[] = JSON.parse(readFileSync(path.join(DASHBOARD, "pages.json"), "utf8"));

test(
  "[D1] [N7] every page works where no name resolves and nothing but the server is reached: none asks elsewhere, when it is loaded or when one goes to it",
  MINUTES,
  async () => {
    await using browser = await startBrowser();
    await using upstream = await startUpstream();
    await using claviger = await startClaviger({ dashboardDir: DASHBOARD });
    await claviger.addProvider("lab", upstream.baseUrl);
    const admin = await settledAdmin(claviger);
    await using visit = await browser.visit(claviger.url);
    const page = await visit.openPage();
    await page.goto("/");
    await signIn(page, admin);
    await mainHeading(page).waitFor();
    for (const each of PAGES) {
      await page.goto(each.replace(":name", "lab"));
      await mainHeading(page).waitFor();
      await page.waitForLoadState("load");
    }
    const links = page.getByRole("navigation").getByRole("link");
    for (const link of await links.all()) {
      await link.click();
      await mainHeading(page).waitFor();
    }
    // What stands before the pages, too.
    const api = keyApi(claviger, await adminOf(claviger));
    expect([(await api.initialize(freshKey())).status, (await api.lock()).status]).toEqual([200, 200]);
    await page.goto("/");
    await page.getByRole("heading", { level: 1, name: "The server is locked" }).waitFor();
    expect(visit.faults).toEqual([]);
    // And what went elsewhere would be seen: a file of another server, and a script's call.
    await page.evaluate(() => fetch("https://fonts.example/a.woff2").catch(() => undefined));
    // Told by the page, which has to be there for it.
    const breach = /^console: policy breached: connect-src by https:\/\/fonts\.example/;
    await expect.poll(() => visit.faults).toContainEqual(expect.stringMatching(breach));
    await page.goto("https://cdn.example/").catch(() => undefined);
    const failure = /^failed: https:\/\/cdn\.example\/: net::ERR_NAME_NOT_RESOLVED/;
    await expect.poll(() => visit.faults).toContainEqual(expect.stringMatching(failure));
    expect(visit.faults.splice(0)).toContain("asked elsewhere: https://cdn.example/");
  },
);
