import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { startUpstream } from "#test/upstream.ts";
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

const A_WHILE = { timeout: 240_000 };
const keys = z.object({
  data: z.array(
    z.object({
      name: z.string(),
      permissions: z.array(z.string()),
      models: z.array(z.string()).nullable(),
      expires_at: z.string().nullable(),
      revoked_at: z.string().nullable(),
    }),
  ),
});
const EVENT = (content: string) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: null }] })}\n\n`;

async function opened(page: Page, claviger: TestClaviger, path: string): Promise<void> {
  const admin = await settledAdmin(claviger);
  await page.goto(path);
  await signIn(page, admin);
  await mainHeading(page).waitFor();
}

/** The keys that were made for runs of the box. */
async function triedKeys(claviger: TestClaviger) {
  const { data } = keys.parse((await claviger.control({ path: "/api/v1/keys" })).json);
  return data.filter(({ name }) => name.startsWith("try-"));
}

const areRevoked = async (claviger: TestClaviger, count: number) => {
  const tried = await triedKeys(claviger);
  return tried.length === count && tried.every(({ revoked_at }) => revoked_at !== null);
};

test(
  "[D2] a model is found, tried with a key that ends with the answer, stopped, and left",
  A_WHILE,
  async () => {
    await using upstream = await startUpstream({ listsApart: true, models: ["sim-1", "other"] });
    await using claviger = await startClaviger({ dashboardDir: DASHBOARD });
    await claviger.addProvider("lab", upstream.baseUrl, "credential-of-the-lab");
    await using visit = await browser.visit(claviger.url);
    const page = await visit.openPage();
    await opened(page, claviger, "/models");
    await page.getByText("lab/other").waitFor();
    await page.getByLabel("Search").fill("SIM");
    await page.getByText("lab/other").waitFor({ state: "detached" });
    await expectAccessible(page);
    await page.getByLabel("Search").fill("nothing like this");
    await page.getByRole("heading", { name: "No model has such a name" }).waitFor();
    await page.getByLabel("Search").fill("sim");
    await page.getByRole("link", { name: "Try lab/sim-1" }).click();

    const state = page.getByRole("status");
    const send = page.getByRole("button", { name: "Send" });
    await expect
      .poll(() => page.getByLabel("Model", { exact: false }).first().inputValue())
      .toBe("lab/sim-1");
    await page.getByLabel("Message").fill("it's me");
    await send.press("Enter");
    await state.getByText("Answered").waitFor();
    await page.getByRole("region", { name: "Text of the answer" }).getByText("Hello.").waitFor();
    await page.getByRole("definition").filter({ hasText: /^2$/ }).waitFor();
    await expect.poll(() => areRevoked(claviger, 1)).toBe(true);
    const [key] = await triedKeys(claviger);
    expect(key).toMatchObject({ permissions: ["gateway"], models: ["lab/sim-1"] });
    expect(Date.parse(key?.expires_at ?? "")).toBeLessThanOrEqual(Date.now() + 15 * 60_000);
    const curl = await page.getByLabel("The same request with curl").textContent();
    expect(curl).toContain("$CLAVIGER_KEY");
    expect(curl).toContain("it'\\''s me");
    await expectAccessible(page);

    const never = new Promise<void>(() => {});
    upstream.behave({ kind: "slow", chunks: [EVENT("Hel")], until: never });
    await send.click();
    await page.getByText("Hel", { exact: true }).waitFor();
    expect(await areRevoked(claviger, 2)).toBe(false);
    await page.getByRole("button", { name: "Stop" }).click();
    await state.getByText("Stopped").waitFor();
    await expect.poll(() => areRevoked(claviger, 2)).toBe(true);

    await send.click();
    await page.getByText("Hel", { exact: true }).waitFor();
    await page.getByRole("link", { name: "Models" }).click();
    await page.getByRole("heading", { level: 1, name: "Models" }).waitFor();
    await expect.poll(() => areRevoked(claviger, 3)).toBe(true);
  },
);

test(
  "[D2] what goes wrong in the box is said there: the upstream's refusal, a stream that breaks, a wrong key",
  A_WHILE,
  async () => {
    await using upstream = await startUpstream({ listsApart: true });
    await using claviger = await startClaviger({ dashboardDir: DASHBOARD });
    await claviger.addProvider("lab", upstream.baseUrl, "credential-of-the-lab");
    await using visit = await browser.visit(claviger.url);
    const page = await visit.openPage();
    await opened(page, claviger, "/try?model=lab%2Fsim-1");
    const alert = page.getByRole("alert");
    const send = page.getByRole("button", { name: "Send" });
    upstream.behave({ kind: "echo-credential" });
    await send.click();
    await alert.getByText(/upstream_credential_rejected/).waitFor();
    expect(await page.content()).not.toContain("credential-of-the-lab");
    expect(visit.faults.splice(0)).toEqual([`answered 502: ${claviger.url}/v1/chat/completions`]);
    await expectAccessible(page);

    upstream.behave({ kind: "raw", chunks: [EVENT("Hel")], broken: true });
    await send.click();
    await alert.getByText("The answer broke off.").waitFor();
    await page.getByText("Hel", { exact: true }).waitFor();

    await page.getByLabel("A key I have").check();
    await page.getByLabel(/^API key/).fill("sk-claviger-none-such");
    await send.click();
    await alert.getByText(/invalid_token/).waitFor();
    await mainHeading(page).waitFor();
    const { key } = await claviger.issueKey("mine");
    upstream.behave({ kind: "ok" });
    await page.getByLabel(/^API key/).fill(key);
    await send.click();
    await page.getByText("Hello.", { exact: true }).waitFor();
    expect(await page.content()).not.toContain(key);
  },
);

test(
  "[I4] [D2] where the listener serves no gateway, or takes no keys, the box says so",
  A_WHILE,
  async () => {
    const listener = (rest: string) =>
      `  web: { resource_type: HttpServer, listen_addr: "127.0.0.1:0", ${rest} }\n`;
    const cases = [
      {
        rest: "auth: [users, keys], serve: [api, dashboard, events]",
        says: "The gateway is not served here.",
      },
      { rest: "auth: [users]", says: "API keys are not taken here." },
    ];
    await using upstream = await startUpstream({ listsApart: true });
    for (const { rest, says } of cases) {
      const yaml = `resources:\n${listener(rest)}`;
      await using claviger = await startClaviger({ dashboardDir: DASHBOARD, yaml, listen: [] });
      await claviger.addProvider("lab", upstream.baseUrl);
      await using visit = await browser.visit(claviger.url);
      const page = await visit.openPage();
      await opened(page, claviger, "/try?model=lab%2Fsim-1");
      await page.getByRole("button", { name: "Send" }).click();
      await page.getByRole("alert").getByText(says).waitFor();
      visit.faults.splice(0);
    }
  },
);

test(
  "[I11] [D2] a key that is revoked in another tab ends the answer that streams with it, within two seconds, with words that say why",
  A_WHILE,
  async () => {
    await using upstream = await startUpstream({ listsApart: true });
    await using claviger = await startClaviger({ dashboardDir: DASHBOARD });
    await claviger.addProvider("lab", upstream.baseUrl);
    await using visit = await browser.visit(claviger.url);
    const page = await visit.openPage();
    await opened(page, claviger, "/try?model=lab%2Fsim-1");
    const { key } = await claviger.issueKey("streaming");
    upstream.behave({ kind: "slow", chunks: [EVENT("Hel")], until: new Promise<void>(() => {}) });
    await page.getByLabel("A key I have").check();
    await page.getByLabel(/^API key/).fill(key);
    await page.getByRole("button", { name: "Send" }).click();
    await page.getByText("Hel", { exact: true }).waitFor();
    const keys = await visit.openPage();
    await keys.goto("/keys");
    await keys.getByRole("button", { name: "Actions for streaming" }).click();
    await keys.getByRole("menuitem", { name: "Revoke…" }).click();
    const ended = page
      .getByRole("alert")
      .getByText("The key is no longer in force.")
      .waitFor()
      .then(() => performance.now());
    const revoked = keys.waitForResponse((response) => response.request().method() === "DELETE");
    await keys.getByRole("button", { name: "Revoke", exact: true }).click();
    expect((await revoked).status()).toBe(204);
    const revokedAt = performance.now();
    expect((await ended) - revokedAt).toBeLessThan(10_000);
    await page.getByRole("status").getByText("Failed").waitFor();
    await page.getByText("Hel", { exact: true }).waitFor();
    await keys.getByRole("row", { name: /^streaming/ }).waitFor({ state: "detached" });
    await expectAccessible(page);
  },
);
