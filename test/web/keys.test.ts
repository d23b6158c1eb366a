import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { bearing, keyCalls } from "#test/keys/key-calls.ts";
import {
  DASHBOARD,
  expectAccessible,
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

async function names(page: Page): Promise<string[]> {
  const texts = await page.getByRole("row").allTextContents();
  return texts.flatMap((text) => /^app-\d\d\d|^extra/.exec(text) ?? []);
}

async function expectNames(page: Page, wanted: readonly string[]): Promise<void> {
  await expect.poll(() => names(page)).toEqual(wanted);
}

test(
  "[D2] [H3] keys are sorted, searched, filtered and paged by the server, and the address keeps what was chosen",
  TWO_MINUTES,
  async () => {
    const clock = new FakeClock();
    await using claviger = await startClaviger({ dashboardDir: DASHBOARD, clock });
    const admin = await settledAdmin(claviger);
    const keys = keyCalls(claviger);
    const all = Array.from({ length: 120 }, (_, number) => `app-${String(number).padStart(3, "0")}`);
    for (const name of all) {
      const { id } = await keys.created(name);
      if (name === "app-007") await keys.revoke(id);
      clock.advance(1);
    }
    await using visit = await browser.visit(claviger.url);
    const page = await visit.openPage();
    await page.goto("/keys");
    await signIn(page, admin);
    const living = all.filter((name) => name !== "app-007");
    await expectNames(page, living.toReversed().slice(0, 100));
    await page.locator('th[aria-sort="descending"]').filter({ hasText: "Made" }).waitFor();
    await expectAccessible(page);

    // By the keyboard.
    await page.getByRole("button", { name: "Name", exact: true }).focus();
    await page.keyboard.press("Enter");
    await expectNames(page, living.slice(0, 100));
    await page.locator('th[aria-sort="ascending"]').filter({ hasText: "Name" }).waitFor();
    expect(await page.locator('th[aria-sort="none"]').count()).toBe(3);
    // One that comes between two pages stands where it belongs.
    await keys.created("extra");
    await page.getByRole("button", { name: "Show more" }).click();
    await expectNames(page, [...living, "extra"]);

    await page.getByLabel("Search").fill("P-00");
    await expectNames(page, living.slice(0, 9));
    await page.getByLabel("State").selectOption("Revoked");
    await expectNames(page, ["app-007"]);
    await expect.poll(() => new URL(page.url()).search).toBe("?sort=name&search=P-00&state=revoked");
    await page.reload();
    await expectNames(page, ["app-007"]);
    expect(await page.getByLabel("Search").inputValue()).toBe("P-00");
    await page.getByLabel("State").selectOption("Expired");
    await page.getByRole("status").getByText("No key is like this").waitFor();
    await expectAccessible(page);
    await page.getByRole("button", { name: "Show all" }).click();
    await expectNames(page, all.slice(0, 100));
    expect(await page.getByLabel("Search").inputValue()).toBe("");
  },
);

test(
  "[D2] a key that is put into the search whole is found, and stands in no address",
  TWO_MINUTES,
  async () => {
    await using claviger = await startClaviger({ dashboardDir: DASHBOARD });
    const admin = await settledAdmin(claviger);
    const keys = keyCalls(claviger);
    const { key } = await keys.created("app-001");
    await keys.created("app-002");
    await using visit = await browser.visit(claviger.url);
    const page = await visit.openPage();
    await page.goto("/keys");
    await signIn(page, admin);
    await expectNames(page, ["app-002", "app-001"]);
    await page.getByLabel("Search").fill(key);
    await expectNames(page, ["app-001"]);
    expect(new URL(page.url()).search).toBe(`?search=${key.slice(0, 24)}`);
  },
);

test(
  "[D2] the lists of the key form open in its window, and have nothing that keeps a reader out",
  TWO_MINUTES,
  async () => {
    await using claviger = await startClaviger({ dashboardDir: DASHBOARD });
    const admin = await settledAdmin(claviger);
    await using visit = await browser.visit(claviger.url);
    const page = await visit.openPage();
    await page.goto("/keys");
    await signIn(page, admin);
    await page.getByRole("heading", { level: 2, name: "No key is in force" }).waitFor();
    await page.getByRole("button", { name: "New key" }).first().click();
    const form = page.getByRole("dialog");
    await form.getByRole("combobox", { name: "Permission sets" }).click();
    await form.getByRole("option", { name: "viewer" }).waitFor();
    await expectAccessible(page);
  },
);

test(
  "[I10] [D2] a key made in the dashboard has the terms that were given, is shown this once, and then by its beginning and last four",
  TWO_MINUTES,
  async () => {
    await using claviger = await startClaviger({ dashboardDir: DASHBOARD });
    const admin = await settledAdmin(claviger);
    await using visit = await browser.visit(claviger.url);
    const page = await visit.openPage();
    await page.goto("/keys");
    await signIn(page, admin);
    await page.getByRole("button", { name: "New key" }).first().click();
    const form = page.getByRole("dialog", { name: "New API key" });
    // The window has taken the focus, and takes it from no field any more.
    await expect.poll(() => page.locator("input:focus").getAttribute("data-path")).toBe("name");
    await form.getByLabel(/^Name/).fill("till");
    for (const [label, text] of [
      ["Models", "lab/*"],
      ["Allowed addresses", "127.0.0.0/8"],
    ] as const) {
      const field = form.getByRole("combobox", { name: label });
      await field.fill(text);
      await field.press("Enter");
      await form.getByText(text, { exact: true }).waitFor();
    }
    await form.getByLabel("Requests a minute").fill("60");
    await form.getByLabel("Ends at").fill("2099-01-31T12:00");
    await form.getByRole("button", { name: "Create the key" }).click();

    const shown = page.getByRole("dialog", { name: "The key till" });
    const key = await shown.getByLabel("API key", { exact: true }).inputValue();
    expect(key).toMatch(/^sk-claviger-/);
    const done = shown.getByRole("button", { name: "Done" });
    expect(await done.isDisabled()).toBe(true);
    await shown.getByLabel("I saved it").check();
    await done.click();
    await shown.waitFor({ state: "detached" });

    const row = page.getByRole("row").filter({ hasText: "till" });
    await row.getByText(`${key.slice(0, 24)}…${key.slice(-4)}`, { exact: true }).waitFor();
    const kept = "document.documentElement.outerHTML + JSON.stringify([localStorage, sessionStorage])";
    expect(await page.evaluate<string>(kept)).not.toContain(key.slice(25, -4));
    const { json } = await keyCalls(claviger).named("till");
    expect(json).toMatchObject({
      data: [
        {
          permissions: ["gateway"],
          models: ["lab/*"],
          limits: { requests_per_minute: 60 },
          expires_at: expect.stringMatching(/^2099-0[12]-\d\dT/),
          allowed_ips: ["127.0.0.0/8"],
        },
      ],
    });

    await row.getByText("never").waitFor();
    expect((await claviger.call({ path: "/v1/models", headers: bearing(key) })).status).toBe(200);
    await page.reload();
    await row.getByText("from 127.0.0.1", { exact: true }).waitFor();
    expect(await page.evaluate<string>(kept)).not.toContain(key.slice(25, -4));
  },
);
