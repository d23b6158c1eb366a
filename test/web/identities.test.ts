import { afterAll, beforeAll, expect, test } from "vitest";
import { startClaviger } from "#test/claviger.ts";
import { newPair } from "#test/reload/file.ts";
import {
  DASHBOARD,
  expectAccessible,
  expectNoViolations,
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

const TWO_MINUTES = { timeout: 120_000 };

test(
  "[D2] [I16] the identities of the file are shown as such, with what they may and when they came last",
  TWO_MINUTES,
  async () => {
    const pair = newPair();
    const till = {
      resource_type: "Identity",
      credential: { api_key: pair.hash },
      permissions: "gateway",
      limits: { requests_per_minute: 60 },
      allowed_ips: ["127.0.0.0/8"],
    };
    const server = {
      resource_type: "HttpServer",
      listen_addr: "127.0.0.1:0",
      auth: ["till", "users", "keys"],
    };
    const yaml = JSON.stringify({ resources: { till, server } });
    await using claviger = await startClaviger({ dashboardDir: DASHBOARD, listen: [], yaml });
    const admin = await settledAdmin(claviger);
    await using visit = await browser.visit(claviger.url);
    const page = await visit.openPage();
    await page.goto("/identities");
    await signIn(page, admin);
    const row = page.getByRole("row").filter({ hasText: "till" });
    await row.waitFor();
    for (const shown of ["file", "in force", "gateway", "60 req/min", "from 127.0.0.0/8"])
      await expect.poll(() => row.textContent()).toContain(shown);
    // What the file declares is changed there alone.
    expect(await row.getByRole("button").count()).toBe(0);
    await expectAccessible(page);
    expect(await row.textContent()).toContain("never");
    const headers = { authorization: `Bearer ${pair.key}` };
    expect((await claviger.call({ path: "/v1/models", headers })).status).toBe(200);
    await page.reload();
    await row.locator("time").last().waitFor();
    await page.getByRole("button", { name: "Last used" }).click();
    await page.locator('th[aria-sort="ascending"]').filter({ hasText: "Last used" }).waitFor();
    await page.getByLabel("Search").fill("nobody");
    await page.getByRole("heading", { level: 2, name: "No identity has such a name" }).waitFor();
    await expectNoViolations(page);
    await page.getByRole("button", { name: "Show all" }).click();
    await row.waitFor();
    expect(await page.getByLabel("Search").inputValue()).toBe("");
  },
);

test(
  "[D2] where the file declares none, the page of identities says how one is declared",
  TWO_MINUTES,
  async () => {
    await using claviger = await startClaviger({ dashboardDir: DASHBOARD });
    const admin = await settledAdmin(claviger);
    await using visit = await browser.visit(claviger.url);
    const page = await visit.openPage();
    await page.goto("/identities");
    await signIn(page, admin);
    await mainHeading(page).waitFor();
    await page.getByRole("heading", { level: 2, name: "The file declares no identity" }).waitFor();
    await page.getByText("claviger api-key generate").waitFor();
    await expectNoViolations(page);
  },
);
