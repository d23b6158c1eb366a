import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
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
const CREDENTIAL = "up-0123456789-abcd";

async function opened(page: Page, claviger: TestClaviger, path: string): Promise<void> {
  const admin = await settledAdmin(claviger);
  await page.goto(path);
  await signIn(page, admin);
  await mainHeading(page).waitFor();
}

/** By axe, in both themes. */
/** Takes an entry of a closed list by the arrow keys. */
async function chooseByKeys(page: Page, field: Locator, label: string): Promise<void> {
  await field.press("ArrowDown");
  const option = page.getByRole("option", { name: label, exact: true });
  await option.waitFor();
  const isReached = async () => (await option.getAttribute("data-combobox-selected")) !== null;
  for (let presses = 0; presses < 12 && !(await isReached()); presses++) await field.press("ArrowDown");
  await field.press("Enter");
}

const provider = async (claviger: TestClaviger, name: string) =>
  (await claviger.control({ path: `/api/v1/providers/${name}` })).json;

test(
  "[D2] [D1] a provider is added by keyboard, refused at the field that is wrong, tested, changed and removed",
  A_WHILE,
  async () => {
    await using upstream = await startUpstream({ listsApart: true });
    await using claviger = await startClaviger({ dashboardDir: DASHBOARD });
    await using visit = await browser.visit(claviger.url);
    const page = await visit.openPage();
    await opened(page, claviger, "/providers");
    await page.getByRole("heading", { name: "No provider yet" }).waitFor();
    await expectAccessible(page);

    await page.getByRole("button", { name: "New provider" }).first().press("Enter");
    const dialog = page.getByRole("dialog", { name: "New provider" });
    const kind = dialog.getByLabel("Kind", { exact: true });
    await expect.poll(() => dialog.locator(":focus").getAttribute("id")).toBe(await kind.getAttribute("id"));
    await chooseByKeys(page, kind, "Compatible with OpenAI");
    await page.keyboard.press("Tab");
    await page.keyboard.type("lab");
    await page.keyboard.press("Tab");
    await page.keyboard.type("ftp://lab.example/v1");
    await page.keyboard.press("Tab");
    await page.keyboard.type(CREDENTIAL);
    await page.keyboard.press("Enter");
    await dialog.getByText("base_url must begin with http:// or https://.").waitFor();
    const baseUrl = dialog.getByLabel(/^Base URL/);
    expect(await baseUrl.getAttribute("aria-invalid")).toBe("true");
    await expectAccessible(page);
    await baseUrl.fill(upstream.baseUrl);
    await baseUrl.press("Enter");

    await page.getByRole("heading", { level: 1, name: "lab" }).waitFor();
    expect(await provider(claviger, "lab")).toMatchObject({
      kind: "openai-compatible",
      base_url: upstream.baseUrl,
      credentials: [{ hint: CREDENTIAL.slice(-4) }],
    });
    await page.getByText("lab/sim-1").waitFor();
    expect(await page.content()).not.toContain(CREDENTIAL);
    await expectAccessible(page);

    await page.getByRole("button", { name: "Test…" }).click();
    const tested = page.getByRole("dialog", { name: "Test of lab" });
    await tested.getByText("It answers").waitFor();
    await tested.getByText(/lists 1 model\./).waitFor();
    upstream.behave({ kind: "echo-credential" });
    await tested.getByRole("button", { name: "Test again" }).click();
    await tested.getByText("It does not work").waitFor();
    expect(await page.content()).not.toContain(CREDENTIAL);
    await expectAccessible(page);
    await page.keyboard.press("Escape");

    await page.getByRole("button", { name: "Change…" }).click();
    const change = page.getByRole("dialog", { name: "Change lab" });
    await change.getByLabel(/^Base URL/).fill("http://127.0.0.1:9/v1");
    await change.getByRole("button", { name: "Save" }).click();
    await change.getByText(/send new credentials with a base_url/).waitFor();
    await change.getByLabel(/^Base URL/).fill(upstream.baseUrl);
    await change.getByRole("button", { name: "More options" }).click();
    await change.getByLabel("Headers sent with every request").fill("x-team: blue");
    await change.getByRole("button", { name: "Save" }).click();
    await page.getByText("x-team: blue").waitFor();

    await page.getByRole("button", { name: "Set credential…" }).click();
    const set = page.getByRole("dialog", { name: "Credential of lab" });
    await set.getByLabel(/^Credential/).fill("another-credential-wxyz");
    await set.getByRole("button", { name: "Another credential" }).click();
    await set.getByLabel(/^Credential 2/).fill("one-more-credential-1234");
    await expectAccessible(page);
    await set.getByRole("button", { name: "Set", exact: true }).click();
    await page.getByText("…wxyz").waitFor();
    expect(await provider(claviger, "lab")).toMatchObject({
      options: { extra_headers: { "x-team": "blue" } },
      credentials: [{ hint: "wxyz" }, { hint: "1234" }],
    });

    await page.getByRole("button", { name: "Remove…" }).click();
    const remove = page.getByRole("dialog", { name: "Remove lab?" });
    await remove.getByLabel(/^Type lab/).fill("lab");
    await remove.getByRole("button", { name: "Remove" }).click();
    await page.getByRole("heading", { name: "No provider yet" }).waitFor();
    expect(await provider(claviger, "lab")).toMatchObject({ code: "not_found" });
  },
);

test(
  "[I16] [D2] a provider of the file is shown as such and not changed here; the secret it names is set here",
  A_WHILE,
  async () => {
    await using upstream = await startUpstream({ listsApart: true });
    const yaml = `resources:
  from-file:
    resource_type: Provider
    kind: openai-compatible
    base_url: ${upstream.baseUrl}
    credential: { secret: lab-key }
`;
    await using claviger = await startClaviger({ dashboardDir: DASHBOARD, yaml });
    await using visit = await browser.visit(claviger.url);
    const page = await visit.openPage();
    await opened(page, claviger, "/providers");
    const row = page.getByRole("row", { name: /from-file/ });
    await row.getByText("file", { exact: true }).waitFor();
    await row.getByText("missing").waitFor();
    await row.getByRole("button", { name: "Actions for from-file" }).click();
    await page.getByRole("menuitem", { name: "Test…" }).waitFor();
    expect(await page.getByRole("menuitem").allTextContents()).toEqual(["Test…"]);
    await page.keyboard.press("Escape");
    await row.getByRole("link", { name: "from-file" }).click();
    await page.getByText("Declared in the configuration file").waitFor();
    expect(await page.getByRole("button", { name: /^(Change|Remove|Set credential)/ }).count()).toBe(0);
    await page.getByRole("button", { name: "Set lab-key…" }).click();
    const set = page.getByRole("dialog", { name: "Secret lab-key" });
    await set.getByLabel(/^Credential/).fill(CREDENTIAL);
    await set.getByRole("button", { name: "Set", exact: true }).click();
    await page.getByText(`…${CREDENTIAL.slice(-4)}`).waitFor();
    expect(await page.content()).not.toContain(CREDENTIAL);
    await expectAccessible(page);
  },
);
