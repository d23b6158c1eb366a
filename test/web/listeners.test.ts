import { mkdtempDisposableSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemRandom } from "#platform/lib/random.ts";
import { settleSelfSigned } from "#platform/tls/self-signed.ts";
import { startClaviger } from "#test/claviger.ts";
import { fingerprint } from "#test/listeners/tls-bench.ts";
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
const DAY_MS = 86_400_000;
const VALID_DAYS = 397;

const listener = (auth: readonly string[] | null, own: object = {}) => ({
  resource_type: "HttpServer",
  listen_addr: "127.0.0.1:0",
  auth,
  ...own,
});
const MAIN = listener(["users", "keys"]);

/** A certificate that ends in half a day more than so many, and its key. */
function pairFor(directory: string, daysLeft: number) {
  const madeMs = Date.now() - (VALID_DAYS - daysLeft - 0.5) * DAY_MS;
  return settleSelfSigned(
    path.join(directory, String(daysLeft)),
    { names: [`in-${daysLeft}.example`], addresses: ["127.0.0.1"] },
    { clock: { now: () => madeMs }, random: systemRandom },
  );
}

const rowOf = (page: Page, name: string) => page.getByRole("row").filter({ hasText: name });

test(
  "[D2] [N13] [I4] [I16] the page of listeners shows where each is, who gets in and how long its certificate lasts, warns of an end, and changes nothing of the file",
  LONG,
  async () => {
    using directory = mkdtempDisposableSync(path.join(tmpdir(), "claviger-listeners-"));
    const withDays = async (daysLeft: number) =>
      listener(["keys"], { tls: await pairFor(directory.path, daysLeft), serve: ["gateway"] });
    const resources = {
      main: MAIN,
      long: await withDays(31),
      soon: await withDays(30),
      urgent: await withDays(7),
      over: await withDays(-3),
      open: listener(null),
    };
    const yaml = JSON.stringify({ resources });
    await using claviger = await startClaviger({ dashboardDir: DASHBOARD, listen: [], yaml });
    const admin = await settledAdmin(claviger);
    await using visit = await browser.visit(claviger.url);
    await visit.context.grantPermissions(["clipboard-read", "clipboard-write"]);
    const page = await visit.openPage();
    await page.goto("/listeners");
    await signIn(page, admin);
    await rowOf(page, "main").waitFor();
    const textOf = (name: string) => rowOf(page, name).textContent();
    expect(await textOf("main")).toContain(claviger.url);
    for (const [name, ...words] of [
      ["main", "file", "listening", "people who sign in, API keys issued here", "off"],
      ["long", "31 days left", "gateway"],
      ["soon", "30 days left"],
      ["urgent", "7 days left"],
      ["over", "expired"],
      ["open", "anyone, with gateway rights: authentication is off"],
    ] as const)
      for (const word of words) expect(await textOf(name)).toContain(word);
    expect(await rowOf(page, "main").getByRole("button").count()).toBe(2);
    const colourOf = (name: string) =>
      rowOf(page, name)
        .getByText(/days left|expired/)
        .locator("..")
        .getAttribute("style");
    const [long, soon, urgent, over] = await Promise.all(["long", "soon", "urgent", "over"].map(colourOf));
    expect(new Set([long, soon, urgent]).size).toBe(3);
    expect(over).toBe(urgent);
    await expectAccessible(page);

    // By the keyboard.
    await page.getByRole("button", { name: "urgent" }).focus();
    await page.keyboard.press("Enter");
    const window = page.getByRole("dialog", { name: "urgent" });
    const seen = await fingerprint(claviger.app.urls[3] ?? "");
    await window.getByText(seen).waitFor();
    await window.getByText("in-7.example, 127.0.0.1").waitFor();
    await expectAccessible(page);
    await window.getByText("Declared in claviger.yaml, and changed there").waitFor();
    // Nothing else can be done there.
    const labels = await window.getByRole("button").evaluateAll((all) => all.map((each) => each.ariaLabel));
    expect(labels.filter((label) => !/^(Close|Copy .*)$/.test(label ?? ""))).toEqual([]);
    const copied = () => page.evaluate<string>("navigator.clipboard.readText()");
    await window.getByRole("button", { name: "Copy the fingerprint" }).click();
    await expect.poll(copied).toBe(seen);
    await window.getByRole("button", { name: `Copy ${claviger.app.urls[3]}` }).click();
    await expect.poll(copied).toBe(claviger.app.urls[3]);
    await page.keyboard.press("Escape");
    await window.waitFor({ state: "detached" });
    await page.getByText("claviger config listeners").waitFor();
  },
);

test(
  "[D2] [I13] the page of listeners follows the file, and says what of it could not be opened",
  LONG,
  async () => {
    const textOf = (resources: object) => JSON.stringify({ resources });
    await using claviger = await startClaviger({
      dashboardDir: DASHBOARD,
      listen: [],
      yaml: textOf({ main: MAIN, gone: listener(["keys"]) }),
    });
    const admin = await settledAdmin(claviger);
    await using other = await startClaviger();
    const taken = new URL(other.url).host;
    const reload = async (resources: object) => {
      writeFileSync(path.join(claviger.dataDir, "given.yaml"), textOf(resources));
      return (await claviger.control({ method: "POST", path: "/api/v1/config/reload" })).status;
    };
    await using visit = await browser.visit(claviger.url);
    const page = await visit.openPage();
    await page.goto("/listeners");
    await signIn(page, admin);
    await rowOf(page, "gone").waitFor();
    expect(await reload({ main: MAIN, fresh: listener(["keys"]) })).toBe(200);
    await rowOf(page, "fresh").waitFor();
    await rowOf(page, "gone").waitFor({ state: "detached" });

    const second = listener(["keys"], { listen_addr: taken });
    expect(await reload({ main: MAIN, fresh: listener(["keys"]), second })).toBe(422);
    await rowOf(page, "second").getByText("not listening").waitFor();
    await page.getByText(`cannot listen on ${taken}`).waitFor();
    await expectAccessible(page);
    await page.getByRole("button", { name: "second" }).press("Enter");
    const window = page.getByRole("dialog", { name: "second" });
    await window.getByText(`${taken}, not open`).waitFor();
    await page.keyboard.press("Escape");
    expect(await reload({ main: MAIN })).toBe(200);
    await rowOf(page, "second").waitFor({ state: "detached" });
    await page.getByText(`cannot listen on ${taken}`).waitFor({ state: "detached" });
  },
);

test(
  "[D2] a list of listeners that cannot be read says so, and is read again when that is asked for",
  LONG,
  async () => {
    await using claviger = await startClaviger({ dashboardDir: DASHBOARD });
    const admin = await settledAdmin(claviger);
    await using visit = await browser.visit(claviger.url);
    const page = await visit.openPage();
    const problem = { code: "forbidden", title: "This is not permitted.", status: 403 };
    await page.route("**/api/v1/listeners", (route) =>
      route.fulfill({ status: 403, contentType: "application/problem+json", json: problem }),
    );
    await page.goto("/listeners");
    await signIn(page, admin);
    await mainHeading(page).waitFor();
    const again = page.getByRole("main").getByRole("alert").getByRole("button");
    await again.waitFor();
    await expectAccessible(page);
    await page.unroute("**/api/v1/listeners");
    await again.click();
    await rowOf(page, "local").waitFor();
    await page.getByText("This server was started with --listen").waitFor();
  },
);
