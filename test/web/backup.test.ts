import { mkdtempDisposableSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { EXIT } from "#cli/exit-codes.ts";
import { startClaviger } from "#test/claviger.ts";
import { adminOf, freshKey, keyApi } from "#test/seal-http/bench.ts";
import { claviger as command } from "../start/process.ts";
import {
  DASHBOARD,
  expectAccessible,
  mainHeading,
  settledAdmin,
  signIn,
  startBrowser,
  type TestBrowser,
} from "./browser.ts";

let browser: TestBrowser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser[Symbol.asyncDispose]());

const LONG = { timeout: 120_000 };

/** Takes one as the page has it now, and gives where the browser put it. */
async function download(page: Page): Promise<string> {
  const coming = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download a backup" }).press("Enter");
  const file = await coming;
  expect(file.suggestedFilename()).toMatch(/^claviger-\d{8}T\d{6}Z\.backup$/);
  await page
    .getByRole("status")
    .getByText(/^Taken:/)
    .waitFor();
  return await file.path();
}

test(
  "[D2] [S14] a backup from the page is one that restores; without a server key it takes a password, typed twice",
  LONG,
  async () => {
    using directory = mkdtempDisposableSync(path.join(tmpdir(), "claviger-web-backup-"));
    await using server = await startClaviger({ dashboardDir: DASHBOARD });
    const admin = await settledAdmin(server);
    await using visit = await browser.visit(server.url);
    const page = await visit.openPage();
    await page.goto("/settings/backup");
    await signIn(page, admin);
    await mainHeading(page).waitFor();
    const password = freshKey();
    await page.getByLabel(/^Password of the backup/).fill("too short");
    await page.getByLabel(/^Password again/).fill(password);
    await page.getByRole("button", { name: "Download a backup" }).click();
    for (const fault of ["A password has at least 12 characters", "The two differ"])
      await page.getByText(fault).waitFor();
    await expectAccessible(page);
    await page.getByLabel(/^Password of the backup/).fill(password);
    await page.getByLabel(/^With the configuration directory/).check();
    const closed = await download(page);
    const check = (file: string, input: string) =>
      command(["restore", "--dry-run", "--json", file], { env: { DATA_DIR: directory.path }, input });
    expect(await check(closed, `${password}\n`)).toMatchObject({ status: EXIT.ok });
    expect(await check(closed, "another password\n")).toMatchObject({ status: EXIT.notPermitted });

    await keyApi(server, await adminOf(server)).initialize(freshKey());
    await page.reload();
    expect(await page.getByLabel(/^Password of the backup/).count()).toBe(0);
    expect(await check(await download(page), "")).toMatchObject({ status: EXIT.ok });
  },
);
