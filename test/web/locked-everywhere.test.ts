import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startClaviger } from "#test/claviger.ts";
import { freshPassword } from "#test/people/person.ts";
import { adminOf, freshKey, keyApi } from "#test/seal-http/bench.ts";
import { claviger as command } from "../start/process.ts";
import { DASHBOARD, mainHeading, settledAdmin, signIn, startBrowser, type TestBrowser } from "./browser.ts";

let browser: TestBrowser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser[Symbol.asyncDispose]());

const A_WHILE = { timeout: 180_000 };
const lockedHeading = (page: Page) => page.getByRole("heading", { level: 1, name: "The server is locked" });

/** Every one of them shows the unlock screen because it was told: by itself it asks every half a minute. */
async function expectAllLocked(pages: readonly Page[]): Promise<void> {
  await Promise.all(pages.map((page) => lockedHeading(page).waitFor({ timeout: 10_000 })));
}

/** Every one of them is where it was, and shows it. */
async function expectAllBack(pages: readonly (readonly [Page, string])[]): Promise<void> {
  for (const [page, path] of pages) {
    await lockedHeading(page).waitFor({ state: "detached" });
    await mainHeading(page).waitFor();
    expect(new URL(page.url()).pathname).toBe(path);
  }
}

/** Opens the form for a key and types its name, without sending it. */
async function typeKeyName(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name: "New key" }).first().click();
  await page.getByLabel(/^Name/).fill(name);
}

/** What this page asks the server to change from now on, but for the lock itself. */
function changesOf(page: Page): string[] {
  const changes: string[] = [];
  page.on("request", (request) => {
    const { pathname } = new URL(request.url());
    if (request.method() !== "GET") changes.push(`${request.method()} ${pathname}`);
  });
  return changes;
}

test(
  "[D3] [S9] a lock by command or by the API shows in two tabs, in another browser and in the middle of a form within two seconds; what was typed is not sent",
  A_WHILE,
  async () => {
    await using claviger = await startClaviger({ dashboardDir: DASHBOARD });
    const admin = await settledAdmin(claviger);
    const api = keyApi(claviger, await adminOf(claviger));
    const key = freshKey();
    expect((await api.initialize(key)).status).toBe(200);
    await using visit = await browser.visit(claviger.url);
    await using elsewhere = await browser.visit(claviger.url);
    const [tab, form, other] = [await visit.openPage(), await visit.openPage(), await elsewhere.openPage()];
    await tab.goto("/profile");
    await signIn(tab, admin);
    await form.goto("/keys");
    await other.goto("/audit");
    await signIn(other, admin);
    for (const page of [tab, form, other]) await mainHeading(page).waitFor();
    const changes = changesOf(form);
    const byCommand = async () => {
      const { status } = await command(["key", "lock"], { env: { DATA_DIR: claviger.dataDir } });
      expect(status).toBe(0);
    };
    const byApi = async () => expect((await api.lock()).status).toBe(200);
    for (const lock of [byCommand, byApi]) {
      await typeKeyName(form, "half-typed");
      await lock();
      await expectAllLocked([tab, form, other]);
      expect(await form.getByRole("dialog").count()).toBe(0);
      await form.keyboard.press("Enter");
      expect((await api.unlock(key)).status).toBe(200);
      await expectAllBack([
        [tab, "/profile"],
        [form, "/keys"],
        [other, "/audit"],
      ]);
    }
    expect(changes).toEqual([]);
    expect((await claviger.control({ path: "/api/v1/keys?name=half-typed" })).json).toMatchObject({
      data: [],
    });
  },
);

test(
  "[D3] who follows no events learns of a lock by the first call that is refused, of the API or of the gateway, and so does every other tab; the call is not repeated",
  A_WHILE,
  async () => {
    const allowed = "keys.manage, models.read, gateway.use";
    const yaml = `resources:\n  quiet: { resource_type: PermissionSet, allow: [${allowed}] }\n`;
    await using claviger = await startClaviger({ dashboardDir: DASHBOARD, yaml });
    await settledAdmin(claviger);
    const person = { username: "kim", password: freshPassword() };
    const body = { ...person, permissions: ["quiet"], must_change_password: false };
    expect((await claviger.control({ method: "POST", path: "/api/v1/users", body })).status).toBe(201);
    const api = keyApi(claviger, await adminOf(claviger));
    const key = freshKey();
    expect((await api.initialize(key)).status).toBe(200);
    const program = await claviger.issueKey("program");
    await using visit = await browser.visit(claviger.url);
    const [form, box] = [await visit.openPage(), await visit.openPage()];
    await form.goto("/keys");
    await signIn(form, person);
    await box.goto("/try?model=lab%2Fsim-1");
    for (const page of [form, box]) await mainHeading(page).waitFor();
    const changes = [form, box].map(changesOf);
    const calls = [
      { page: form, button: "Create the key", prepare: () => typeKeyName(form, "sent-too-late") },
      {
        ...{ page: box, button: "Send" },
        prepare: async () => {
          await box.getByLabel("A key I have").check();
          await box.getByLabel(/^API key/).fill(program.key);
        },
      },
    ];
    for (const { page, button, prepare } of calls) {
      await prepare();
      // Nobody learns of it by asking for the state meanwhile, as every page does twice a minute.
      const open = { json: { initialized: true, unlocked: true } };
      await visit.context.route("**/api/v1/key/status", (route) => route.fulfill(open));
      expect((await api.lock()).status).toBe(200);
      await visit.context.unroute("**/api/v1/key/status");
      const refused = page.waitForResponse((response) => response.status() === 503);
      await page.getByRole("button", { name: button, exact: true }).click();
      expect((await refused).headers()["x-claviger-locked"]).toBe("true");
      await expectAllLocked([form, box]);
      expect((await api.unlock(key)).status).toBe(200);
      await expectAllBack([
        [form, "/keys"],
        [box, "/try"],
      ]);
    }
    expect(changes).toEqual([["POST /api/v1/keys"], ["POST /v1/chat/completions"]]);
    const { json } = await claviger.control({ path: "/api/v1/keys?name=sent-too-late" });
    expect(json).toMatchObject({ data: [] });
  },
);
