import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { adminOf, freshKey, keyApi } from "#test/seal-http/bench.ts";
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
const PAGE = "/settings/server-key";
const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });
const field = (page: Page, name: RegExp) => page.getByRole("dialog").getByLabel(name);

/** A server, and one tab of somebody who may do everything, on the page of the server key. */
async function openPage() {
  await using all = new AsyncDisposableStack();
  const claviger = all.use(await startClaviger({ dashboardDir: DASHBOARD }));
  const admin = await settledAdmin(claviger);
  const visit = all.use(await browser.visit(claviger.url));
  const page = await visit.openPage();
  await page.goto(PAGE);
  await signIn(page, admin);
  await mainHeading(page).waitFor();
  const owned = all.move();
  return { claviger, admin, visit, page, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** The same on a server that has a key, with the API to see by what came of it. */
async function openPageWithKey(options: { readonly recovery: boolean }) {
  const opened = await openPage();
  const api = keyApi(opened.claviger, await adminOf(opened.claviger));
  const key = freshKey();
  expect((await api.initialize(key, options)).status).toBe(200);
  await opened.page.reload();
  await button(opened.page, "Rotate the key…").waitFor();
  return { ...opened, api, key };
}

const statusOf = (claviger: TestClaviger) => claviger.app.seal.status();

test(
  "[D2] [S2] [S15] by keyboard alone a server key is set, typed twice and saved first, and its recovery key is shown once",
  LONG,
  async () => {
    await using opened = await openPage();
    const { claviger, page } = opened;
    await expectAccessible(page);
    const key = freshKey();
    await button(page, "Set the server key…").press("Enter");
    await expectAccessible(page);
    await field(page, /^Server key( \*)?$/).pressSequentially("too short");
    // By way of the button that shows what was typed.
    for (const _stop of ["button", "field"]) await page.keyboard.press("Tab");
    await page.keyboard.type("another");
    await page.keyboard.press("Enter");
    for (const fault of ["A server key has at least 12 characters", "The two differ", "Save it first"])
      await page.getByText(fault).waitFor();
    expect(statusOf(claviger).initialized).toBe(false);
    await field(page, /^Server key( \*)?$/).fill(key);
    await field(page, /^Server key again/).fill(key);
    await field(page, /^I saved the new key/).press("Space");
    await page.keyboard.press("Enter");
    const recovery = await page.getByRole("textbox", { name: "Recovery key" }).inputValue();
    expect(recovery).toMatch(/^claviger-recovery-/);
    await expectAccessible(page);
    await page.getByLabel("I saved it").press("Space");
    await button(page, "Done").press("Enter");
    await page.getByText(claviger.app.seal.fingerprint() ?? "no key").waitFor();
    expect(statusOf(claviger)).toEqual({ initialized: true, unlocked: true });
    const api = keyApi(claviger, await adminOf(claviger));
    for (const each of [key, recovery]) expect((await api.unlock(each)).status).toBe(200);
    await expectAccessible(page);
    expect(await page.content()).not.toContain(recovery);
  },
);

test(
  "[D2] [D3] [S7] both keys are typed twice to rotate; a wrong one is a toast, and changes nothing",
  LONG,
  async () => {
    await using opened = await openPageWithKey({ recovery: false });
    const { api, key, page } = opened;
    const next = freshKey();
    const fill = async (current: string, again = current) => {
      await field(page, /^Current key( \*)?$/).fill(current);
      await field(page, /^Current key again/).fill(again);
      await field(page, /^New key( \*)?$/).fill(next);
      await field(page, /^New key again/).fill(next);
    };
    await button(page, "Rotate the key…").click();
    await fill(freshKey(), key);
    await page.getByLabel(/^I saved the new key/).check();
    await button(page, "Rotate").click();
    await page.getByText("The two differ").waitFor();
    await fill(freshKey());
    await button(page, "Rotate").click();
    await page.getByRole("alert").getByText("Wrong key").waitFor();
    await expectAccessible(page);
    expect((await api.unlock(key)).status).toBe(200);
    await fill(key);
    await button(page, "Rotate").click();
    await page.getByText("The new server key holds").waitFor();
    expect((await api.unlock(next)).status).toBe(200);
    expect((await api.unlock(key)).status).toBe(403);
  },
);

test(
  "[D2] [S8] [S15] the saved key is tried, everything is checked, and the recovery key is revoked",
  LONG,
  async () => {
    await using opened = await openPageWithKey({ recovery: true });
    const { claviger, key, page } = opened;
    await button(page, "Try the saved key…").click();
    await field(page, /^Server key or recovery key/).fill(freshKey());
    await button(page, "Try it").click();
    await page.getByRole("alert").getByText("Wrong key").waitFor();
    await field(page, /^Server key or recovery key/).fill(key);
    await button(page, "Try it").click();
    await page.getByText("This key unlocks the server.").waitFor();
    await button(page, "Check and repair…").click();
    await field(page, /^Server key/).fill(key);
    await button(page, "Check all").click();
    await page.getByText("Everything was looked at").waitFor();
    await button(page, "Revoke the recovery key…").click();
    await expectAccessible(page);
    await button(page, "Revoke").click();
    await page.getByText("A lost server key has no way back").waitFor();
    const { json } = await claviger.control({ path: "/api/v1/key/details" });
    expect(json).toMatchObject({ recovery_key: false });
  },
);

test(
  "[D2] [D3] [S9] locked in one tab, every tab shows the unlock screen, and comes back where it was once it is unlocked",
  LONG,
  async () => {
    await using opened = await openPageWithKey({ recovery: false });
    const { claviger, key, page, visit } = opened;
    const locked = (tab: Page) => tab.getByRole("heading", { level: 1, name: "The server is locked" });
    const other = await visit.openPage();
    await other.goto("/keys");
    await mainHeading(other).waitFor();
    await button(page, "Lock now…").click();
    await page.getByText("People stay signed in.").waitFor();
    await expectAccessible(page);
    expect(statusOf(claviger).unlocked).toBe(true);
    await button(page, "Lock now").click();
    for (const tab of [page, other]) await locked(tab).waitFor();
    expect(statusOf(claviger).unlocked).toBe(false);
    await other.getByLabel(/^Server key/).fill(key);
    await button(other, "Unlock").click();
    for (const tab of [page, other]) await locked(tab).waitFor({ state: "detached" });
    expect([page, other].map((tab) => new URL(tab.url()).pathname)).toEqual([PAGE, "/keys"]);
  },
);
