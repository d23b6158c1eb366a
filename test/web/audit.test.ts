import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startClaviger } from "#test/claviger.ts";
import {
  DASHBOARD,
  expectAccessible,
  mainHeading,
  settledAdmin,
  signIn,
  startBrowser,
  type TestBrowser,
} from "./browser.ts";
import { chooseByKey } from "./menu.ts";

let browser: TestBrowser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser[Symbol.asyncDispose]());

const LONG = { timeout: 120_000 };

/** Takes an export, and gives its text. */
async function exported(page: Page, format: string): Promise<string> {
  const coming = page.waitForEvent("download");
  await chooseByKey(
    page.getByRole("button", { name: "Export" }),
    page.getByRole("menuitem", { name: format }),
  );
  return readFileSync(await (await coming).path(), "utf8");
}

test(
  "[D2] [W1] the page of the audit lists what happened, narrowed by the server, shows the whole of one record, and exports what fits",
  LONG,
  async () => {
    await using claviger = await startClaviger({ dashboardDir: DASHBOARD });
    const admin = await settledAdmin(claviger);
    const { id } = await claviger.issueKey("a-key-to-find");
    for (let at = 0; at < 105; at++)
      await claviger.control({ method: "DELETE", path: "/api/v1/keys/key_none" });
    await claviger.control({ method: "DELETE", path: `/api/v1/keys/${id}` });
    await using visit = await browser.visit(claviger.url);
    const page = await visit.openPage();
    await page.goto("/audit");
    await signIn(page, admin);
    await mainHeading(page).waitFor();
    const rows = page.getByRole("table", { name: "Audit records" }).locator("tbody tr");
    await expect.poll(() => rows.count()).toBe(100);
    await page.getByRole("button", { name: "Show more" }).press("Enter");
    await expect.poll(() => rows.count()).toBeGreaterThan(105);
    await page.getByRole("textbox", { name: "Target" }).fill(id);
    await page.getByRole("textbox", { name: "Target" }).press("Enter");
    await expect.poll(() => rows.count()).toBe(2);
    expect(await rows.first().textContent()).toContain("key.revoke");
    await page.getByRole("button", { name: /^Time/ }).press("Enter");
    await expect.poll(() => rows.first().textContent()).toContain("key.create");
    await expectAccessible(page);
    await page.getByRole("button", { name: "key.create" }).press("Enter");
    const drawer = page.getByRole("dialog", { name: "key.create" });
    await drawer.getByText(id).waitFor();
    await expectAccessible(page);
    await page.keyboard.press("Escape");
    await drawer.waitFor({ state: "detached" });
    const lines = (await exported(page, "JSON lines")).trim().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { action: "key.create", target: id },
      { action: "key.revoke", target: id },
    ]);
    const table = (await exported(page, "CSV")).trim().split("\r\n");
    expect(table).toEqual([
      "chain,seq,time,actor,action,target,outcome,address,request_id,count,hash",
      expect.stringContaining(`,key.create,${id},success,`),
      expect.stringContaining(`,key.revoke,${id},success,`),
    ]);
    await page.getByRole("textbox", { name: "Actor" }).fill("nobody");
    await page.getByRole("button", { name: "Filter", exact: true }).click();
    await page.getByText("No record fits this filter").waitFor();
    await page.getByRole("button", { name: "Clear" }).click();
    await expect.poll(() => rows.count()).toBe(100);
    const { json } = await claviger.control({ path: "/api/v1/audit/chain" });
    await page.getByText(String(Object(json).public_key)).waitFor();
  },
);
