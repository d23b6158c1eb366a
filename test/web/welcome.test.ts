import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startClaviger } from "#test/claviger.ts";
import { newPin } from "#test/cluster/member.ts";
import { firstPerson, freshPassword } from "#test/people/person.ts";
import { startUpstream, UPSTREAM_MODEL } from "#test/upstream.ts";
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

const SLOW = { timeout: 240_000 };
const press = (page: Page, name: string) => page.getByRole("button", { name, exact: true }).click();
const step = (page: Page, title: string) =>
  page.getByRole("heading", { level: 2, name: title }).getByRole("button");

test(
  "[D2] [C4] a new server leads its owner from the first sign-in to the first answer, goes on where he left, and is done once",
  SLOW,
  async () => {
    await using upstream = await startUpstream();
    await using claviger = await startClaviger({ dashboardDir: DASHBOARD });
    const password = freshPassword();
    await firstPerson(claviger, password);
    const admin = { username: "admin", password };
    {
      await using visit = await browser.visit(claviger.url);
      const page = await visit.openPage();
      await page.goto("/");
      await signIn(page, admin);
      await page.waitForURL("**/welcome");
      await mainHeading(page).filter({ hasText: "First steps" }).waitFor();
      await expectAccessible(page);
      await page.getByRole("button", { name: "Set the server key…" }).waitFor();
      await press(page, "Leave this out");
      await step(page, "1. Set a server key left out").waitFor();
      await press(page, "This is the first server");
      const pin = newPin();
      for (const label of ["PIN", "PIN again"]) {
        await page.getByRole("group", { name: label, exact: true }).locator("input").first().focus();
        await page.keyboard.type(pin);
      }
      await press(page, "Begin the cluster");
      await step(page, "2. Join your servers done").waitFor();
    }
    // Another browser: what was left out and done is the server's knowledge.
    await using visit = await browser.visit(claviger.url);
    const page = await visit.openPage();
    await page.goto("/");
    await signIn(page, admin);
    await page.waitForURL("**/welcome");
    await step(page, "1. Set a server key left out").waitFor();
    await step(page, "3. Add a provider open").and(page.locator("[aria-expanded=true]")).waitFor();
    await press(page, "Add a provider");
    const dialog = page.getByRole("dialog", { name: "New provider" });
    await dialog.getByLabel("Kind", { exact: true }).click();
    await page.getByRole("option", { name: "Compatible with OpenAI" }).click();
    await dialog.getByLabel(/^Name/).fill("lab");
    await dialog.getByLabel(/^Base URL/).fill(upstream.baseUrl);
    await dialog.getByLabel("Credential", { exact: true }).fill("credential-of-the-lab");
    await press(page, "Add the provider");
    const tested = page.getByRole("dialog", { name: "Test of lab" });
    await tested.getByText("It answers").waitFor();
    await tested.getByRole("button", { name: "Close" }).last().click();
    await press(page, "Next step");
    await press(page, "New key");
    await page.getByLabel(/^Name/).fill("first-tool");
    await press(page, "Create the key");
    const key = await page.getByLabel("API key", { exact: true }).inputValue();
    await page.getByLabel("I saved it").check();
    await press(page, "Done");
    await press(page, "Next step");
    await page.getByText(`"lab/${UPSTREAM_MODEL}"`).waitFor();
    await expectAccessible(page);
    const body = { model: `lab/${UPSTREAM_MODEL}`, messages: [{ role: "user", content: "Hello" }] };
    const headers = { authorization: `Bearer ${key}` };
    const answer = await claviger.call({ method: "POST", path: "/v1/chat/completions", headers, body });
    expect(answer.status).toBe(200);
    await page.getByText("The first request has arrived.").waitFor();
    await expectAccessible(page);
    await press(page, "Go to the overview");
    await page.waitForURL((url) => url.pathname === "/");
    await page.reload();
    await mainHeading(page).filter({ hasText: "Overview" }).waitFor();
    expect(await page.getByRole("link", { name: "First steps" }).count()).toBe(0);
    expect(new URL(page.url()).pathname).toBe("/");
  },
);

test(
  "[D2] the first steps are dismissed for good, and a page that was asked for is shown instead of them",
  SLOW,
  async () => {
    await using claviger = await startClaviger({ dashboardDir: DASHBOARD });
    const admin = await settledAdmin(claviger);
    const reopened = { method: "PUT", path: "/api/v1/first-run", body: { open: true, skipped: [] } };
    expect((await claviger.control(reopened)).status).toBe(200);
    await using visit = await browser.visit(claviger.url);
    const page = await visit.openPage();
    await page.goto("/keys");
    await signIn(page, admin);
    await mainHeading(page).filter({ hasText: "API keys" }).waitFor();
    await page.getByRole("link", { name: "First steps" }).click();
    await press(page, "Do not show this again");
    await mainHeading(page).filter({ hasText: "Overview" }).waitFor();
    await page.getByRole("link", { name: "First steps" }).waitFor({ state: "detached" });
    expect((await claviger.control({ path: "/api/v1/first-run" })).json).toEqual({
      open: false,
      skipped: [],
    });
    const records = await claviger.control({ path: "/api/v1/audit?action=first_run.change" });
    expect(records.text).toContain('"target":"ended"');
  },
);
