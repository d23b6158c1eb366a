import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startClaviger } from "#test/claviger.ts";
import { freshPassword } from "#test/people/person.ts";
import { adminOf, freshKey, keyApi } from "#test/seal-http/bench.ts";
import {
  DASHBOARD,
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

const A_MINUTE = { timeout: 60_000 };
const lockedHeading = (page: Page) => page.getByRole("heading", { level: 1, name: "The server is locked" });

test(
  "[S4] [D3] a locked server still serves the dashboard: who may, signs in and unlocks it there",
  A_MINUTE,
  async () => {
    await using claviger = await startClaviger({ dashboardDir: DASHBOARD });
    const admin = await settledAdmin(claviger);
    const api = keyApi(claviger, await adminOf(claviger));
    const key = freshKey();
    expect((await api.initialize(key)).status).toBe(200);
    expect((await api.lock()).status).toBe(200);
    await using visit = await browser.visit(claviger.url);
    const page = await visit.openPage();
    await page.goto("/keys");
    await signIn(page, admin);
    await lockedHeading(page).waitFor();
    await expectNoViolations(page);
    await page.getByLabel(/^Server key/).fill(freshKey());
    await page.getByRole("button", { name: "Unlock" }).click();
    await page.getByText("Wrong key").waitFor();
    expect(claviger.app.seal.status().unlocked).toBe(false);
    await page.getByLabel(/^Server key/).fill(key);
    await page.getByRole("button", { name: "Unlock" }).click();
    await lockedHeading(page).waitFor({ state: "detached" });
    expect(claviger.app.seal.status().unlocked).toBe(true);
    expect(new URL(page.url()).pathname).toBe("/keys");
  },
);

test(
  "[S9] [D3] a lock shows in every open tab, and an unlock in one of them frees all, where they were",
  A_MINUTE,
  async () => {
    await using claviger = await startClaviger({ dashboardDir: DASHBOARD });
    const admin = await settledAdmin(claviger);
    const api = keyApi(claviger, await adminOf(claviger));
    const key = freshKey();
    expect((await api.initialize(key)).status).toBe(200);
    await using visit = await browser.visit(claviger.url);
    const first = await visit.openPage();
    const second = await visit.openPage();
    await first.goto("/keys");
    await signIn(first, admin);
    await mainHeading(first).waitFor();
    await second.goto("/profile");
    await mainHeading(second).waitFor();
    expect((await api.lock()).status).toBe(200);
    for (const page of [first, second]) await lockedHeading(page).waitFor();
    await second.getByLabel(/^Server key/).fill(key);
    await second.getByRole("button", { name: "Unlock" }).click();
    for (const page of [first, second]) await lockedHeading(page).waitFor({ state: "detached" });
    expect([first, second].map((page) => new URL(page.url()).pathname)).toEqual(["/keys", "/profile"]);
  },
);

test(
  "[U4] who may not open the server is told on the unlock screen that an administrator must, and has no field for the key",
  A_MINUTE,
  async () => {
    await using claviger = await startClaviger({ dashboardDir: DASHBOARD });
    await settledAdmin(claviger);
    const api = keyApi(claviger, await adminOf(claviger));
    const person = { username: "kim", password: freshPassword() };
    const body = { ...person, permissions: ["viewer"], must_change_password: false };
    expect((await claviger.control({ method: "POST", path: "/api/v1/users", body })).status).toBe(201);
    const key = freshKey();
    expect((await api.initialize(key)).status).toBe(200);
    expect((await api.lock()).status).toBe(200);
    await using visit = await browser.visit(claviger.url);
    const page = await visit.openPage();
    await page.goto("/");
    await signIn(page, person);
    await lockedHeading(page).waitFor();
    await page.getByText("An administrator must unlock it").waitFor();
    expect(await page.getByLabel(/^Server key/).count()).toBe(0);
    await expectNoViolations(page);
    expect((await api.unlock(key)).status).toBe(200);
    await lockedHeading(page).waitFor({ state: "detached" });
  },
);

/** When this page asked whether the server is open, in milliseconds since it was loaded. */
const ASKED = `performance.getEntriesByType("resource")
  .filter(({ name }) => new URL(name).pathname === "/api/v1/key/status").map(({ startTime }) => startTime)`;
/** As in a tab behind another one. */
const HIDDEN = `Object.defineProperty(document, "visibilityState", { get: () => "hidden" })`;

test(
  "[C8] [S9] a locked tab, seen or not, asks every two seconds whether the server is open, and leaves the unlock screen by itself, without a stream of events too",
  A_MINUTE,
  async () => {
    await using claviger = await startClaviger({ dashboardDir: DASHBOARD });
    const admin = await settledAdmin(claviger);
    const api = keyApi(claviger, await adminOf(claviger));
    const key = freshKey();
    expect((await api.initialize(key)).status).toBe(200);
    await using visit = await browser.visit(claviger.url);
    const page = await visit.openPage();
    await page.goto("/profile");
    await signIn(page, admin);
    const behind = await visit.openPage();
    await behind.addInitScript(HIDDEN);
    await behind.goto("/keys");
    for (const tab of [page, behind]) await mainHeading(tab).waitFor();
    expect((await api.lock()).status).toBe(200);
    for (const tab of [page, behind]) await lockedHeading(tab).waitFor();
    await visit.context.route("**/sse*", (route) => route.fulfill({ status: 503 }));
    const since = await page.evaluate<number>("performance.now()");
    const pauses = async () => {
      const asked = (await page.evaluate<number[]>(ASKED)).filter((at) => at > since);
      return asked.slice(1).map((at, index) => at - (asked[index] ?? at));
    };
    // A slow machine has a long pause at times, and a short one never.
    await expect.poll(async () => Math.min(...(await pauses())), { timeout: 30_000 }).toBeLessThan(4000);
    expect(Math.min(...(await pauses()))).toBeGreaterThan(1900);
    expect(await lockedHeading(page).count()).toBe(1);
    expect((await api.unlock(key)).status).toBe(200);
    for (const tab of [page, behind]) {
      await lockedHeading(tab).waitFor({ state: "detached" });
      await mainHeading(tab).waitFor();
    }
    expect([page, behind].map((tab) => new URL(tab.url()).pathname)).toEqual(["/profile", "/keys"]);
  },
);
