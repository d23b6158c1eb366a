import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
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

const A_WHILE = { timeout: 120_000 };
const AN_HOUR_MS = 3_600_000;
const alert = (page: Page, text: string | RegExp) => page.getByRole("alert").getByText(text);

/** Types into the field, presses the button, and waits for the server's answer of this status. */
async function tryWith(
  page: Page,
  field: RegExp,
  text: string,
  button: string,
  status: number,
): Promise<void> {
  await page.getByLabel(field).fill(text);
  const answered = page.waitForResponse((response) => response.request().method() === "POST");
  await page.getByRole("button", { name: button }).click();
  expect((await answered).status()).toBe(status);
}

test(
  "[U4] [D2] ten wrong passwords lock the address: the page says for how long, also to who knows the password; who is inside stays, and the hour ends",
  A_WHILE,
  async () => {
    const clock = new FakeClock(Date.now());
    await using claviger = await startClaviger({ dashboardDir: DASHBOARD, clock });
    const admin = await settledAdmin(claviger);
    await using inside = await browser.visit(claviger.url);
    const other = await inside.openPage();
    await other.goto("/keys");
    await signIn(other, admin);
    await mainHeading(other).waitFor();
    await using visit = await browser.visit(claviger.url);
    const page = await visit.openPage();
    await page.goto("/keys");
    await page.getByLabel("User name").fill(admin.username);
    const attempt = (password: string, status: number) =>
      tryWith(page, /^Password( \*)?$/, password, "Sign in", status);
    for (let tries = 0; tries < 10; tries += 1) {
      await attempt(freshPassword(), 401);
      await alert(page, "The user name or the password is wrong.").waitFor();
    }
    await attempt(admin.password, 429);
    await alert(page, "Try again in 1 h 0 min.").waitFor();
    await expectNoViolations(page);
    await other.reload();
    await mainHeading(other).waitFor();
    clock.advance(AN_HOUR_MS / 2);
    await attempt(admin.password, 429);
    await alert(page, "Try again in 30 min.").waitFor();
    clock.advance(AN_HOUR_MS / 2);
    await attempt(admin.password, 200);
    await mainHeading(page).waitFor();
    expect(new URL(page.url()).pathname).toBe("/keys");
  },
);

test(
  "[D3] [S5] each wrong server key shows a wrong-key toast; after three the page says how long to wait, and the right key waits as long",
  A_WHILE,
  async () => {
    const clock = new FakeClock(Date.now());
    await using claviger = await startClaviger({ dashboardDir: DASHBOARD, clock });
    const admin = await settledAdmin(claviger);
    const api = keyApi(claviger, await adminOf(claviger));
    const key = freshKey();
    expect((await api.initialize(key)).status).toBe(200);
    expect((await api.lock()).status).toBe(200);
    await using visit = await browser.visit(claviger.url);
    const page = await visit.openPage();
    await page.goto("/keys");
    await signIn(page, admin);
    const attempt = (text: string, status: number) => tryWith(page, /^Server key/, text, "Unlock", status);
    for (let tries = 1; tries <= 3; tries += 1) {
      await attempt(freshKey(), 403);
      await expect.poll(() => alert(page, /^Wrong key$/).count()).toBe(tries);
    }
    await attempt(key, 429);
    await alert(page, "Try again in 1 s.").waitFor();
    await expectNoViolations(page);
    expect(claviger.app.seal.status().unlocked).toBe(false);
    clock.advance(1000);
    await attempt(freshKey(), 403);
    await expect.poll(() => alert(page, /^Wrong key$/).count()).toBe(4);
    await attempt(key, 429);
    await alert(page, "Try again in 2 s.").waitFor();
    clock.advance(2000);
    await attempt(key, 200);
    await mainHeading(page).getByText("API keys").waitFor();
    expect(claviger.app.seal.status().unlocked).toBe(true);
  },
);
