import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startClaviger } from "#test/claviger.ts";
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

const PRICED = `settings:
  prices:
    - { model: dear, provider: one, input_usd_per_million: 4000, output_usd_per_million: 16000 }
    - { model: cheap, provider: one, input_usd_per_million: 1000, output_usd_per_million: 2000 }
`;
const A_WHILE = { timeout: 240_000 };

let browser: TestBrowser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser[Symbol.asyncDispose]());

/** A server with two providers, and two keys that asked: the second twice, then the first once; and a tab. */
async function startBench() {
  await using stack = new AsyncDisposableStack();
  const upstream = stack.use(await startUpstream({ models: ["dear", "cheap", "free"] }));
  const claviger = stack.use(await startClaviger({ dashboardDir: DASHBOARD, yaml: PRICED }));
  await claviger.addProvider("one", upstream.baseUrl);
  await claviger.addProvider("another", "http://127.0.0.1:9/v1", undefined, "ollama");
  const keys = { first: await claviger.issueKey("zebra"), second: await claviger.issueKey("Ant") };
  const ask = async ({ key }: { readonly key: string }, model: string) => {
    const body = { model: `one/${model}`, messages: [{ role: "user", content: "Hello" }] };
    const headers = { authorization: `Bearer ${key}` };
    const path = "/v1/chat/completions";
    expect((await claviger.call({ method: "POST", path, headers, body })).status).toBe(200);
  };
  await ask(keys.second, "cheap");
  await ask(keys.second, "cheap");
  await ask(keys.first, "dear");
  const admin = await settledAdmin(claviger);
  const visit = stack.use(await browser.visit(claviger.url));
  const page = await visit.openPage();
  const owned = stack.move();
  return {
    claviger,
    keys,
    page,
    open: async (path: string) => {
      await page.goto(path);
      await signIn(page, admin);
      await mainHeading(page).waitFor();
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const searchOf = (page: Page) => new URL(page.url()).search;

/** The cells of one column, from the top. */
const column = (page: Page, table: string, at: number) => () =>
  page.getByRole("table", { name: table }).locator(`tbody tr td:nth-child(${at})`).allTextContents();

/** Chooses a heading by the keyboard; it keeps the focus, and says how the list is sorted now. */
async function sortBy(page: Page, name: string, direction: "ascending" | "descending" | "none") {
  const heading = page.getByRole("columnheader", { name: new RegExp(`^${name}`) });
  await heading.getByRole("button").focus();
  await page.keyboard.press("Enter");
  await expect.poll(() => heading.getAttribute("aria-sort")).toBe(direction);
  const told = direction === "none" ? "In its own order" : `Sorted by ${name}, ${direction}`;
  await page.getByText(told, { exact: true }).waitFor({ state: "attached" });
  await expect.poll(() => page.locator(":focus").textContent()).toMatch(new RegExp(`^${name}`));
}

test(
  "[D2] [D1] [H4] requests name who asked, begin with the oldest where the heading says so, and are narrowed to a key by its name",
  A_WHILE,
  async () => {
    await using bench = await startBench();
    const { page, keys } = bench;
    await bench.open("/requests");
    const whose = column(page, "Requests", 4);
    await expect.poll(whose).toEqual(["zebra", "Ant", "Ant"]);
    await sortBy(page, "When", "ascending");
    await expect.poll(whose).toEqual(["Ant", "Ant", "zebra"]);
    expect(searchOf(page)).toBe("?order=oldest");
    await expectAccessible(page);
    await page.reload();
    await expect.poll(whose).toEqual(["Ant", "Ant", "zebra"]);
    await sortBy(page, "When", "descending");
    await expect.poll(() => searchOf(page)).toBe("");

    const choice = page.getByRole("combobox", { name: "Key or identity" });
    await choice.focus();
    await page.keyboard.type("zEB");
    const option = page.getByRole("option", { name: /^zebra/ });
    await option.waitFor();
    await expect.poll(() => page.getByRole("listbox").getByRole("option").count()).toBe(2);
    expect(await option.textContent()).toContain(keys.first.id);
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await expect.poll(whose).toEqual(["zebra"]);
    expect(searchOf(page)).toBe(`?principal=${keys.first.id}`);
    await page.reload();
    await expect.poll(whose).toEqual(["zebra"]);
    await expect.poll(() => choice.inputValue()).toBe("zebra");
    await expectAccessible(page);
    await page.getByRole("button", { name: /now|ago/ }).press("Enter");
    await page.getByRole("dialog", { name: "One request" }).getByText(keys.first.id).waitFor();
    await page.keyboard.press("Escape");

    await choice.fill("");
    await expect.poll(whose).toEqual(["zebra", "Ant", "Ant"]);
    await choice.fill("till-9");
    await page.getByRole("option", { name: /till-9.*taken for an id/ }).click();
    await page.getByRole("heading", { name: "No request is like this" }).waitFor();
    expect(searchOf(page)).toBe("?principal=till-9");
  },
);

test(
  "[D2] [D1] [G9] usage by key shows names with their ids, sorted by the heading one chooses, and exports them so",
  A_WHILE,
  async () => {
    await using bench = await startBench();
    const { page, keys } = bench;
    await bench.open("/usage?by=key");
    const names = column(page, "Usage by key", 1);
    await expect.poll(names).toEqual([`Ant${keys.second.id}`, `zebra${keys.first.id}`]);
    await sortBy(page, "Key or identity", "descending");
    await expect.poll(names).toEqual([`zebra${keys.first.id}`, `Ant${keys.second.id}`]);
    await sortBy(page, "Requests", "descending");
    await expect.poll(column(page, "Usage by key", 2)).toEqual(["2", "1"]);
    await sortBy(page, "Requests", "ascending");
    await expect.poll(column(page, "Usage by key", 2)).toEqual(["1", "2"]);
    await sortBy(page, "Cost", "descending");
    await expect.poll(names).toEqual([`zebra${keys.first.id}`, `Ant${keys.second.id}`]);
    expect(searchOf(page)).toBe("?by=key&sort=-cost_usd");
    await expectAccessible(page);
    await page.reload();
    await expect.poll(names).toEqual([`zebra${keys.first.id}`, `Ant${keys.second.id}`]);
    const downloading = page.waitForEvent("download");
    await page.getByRole("button", { name: "Export CSV" }).click();
    const csv = readFileSync(await (await downloading).path(), "utf8");
    expect(csv.split("\r\n").map((line) => line.replace(/,.*,/, ",…,"))).toEqual([
      "key,…,name",
      `${keys.first.id},…,zebra`,
      `${keys.second.id},…,Ant`,
      "",
    ]);
    await page.getByRole("radio", { name: "Key" }).focus();
    await page.keyboard.press("ArrowLeft");
    await expect.poll(column(page, "Usage by model", 1)).toEqual(["one/dear", "one/cheap"]);
  },
);

test(
  "[D2] [D1] providers and models are sorted by their headings and searched, and the address keeps it",
  A_WHILE,
  async () => {
    await using bench = await startBench();
    const { page } = bench;
    await bench.open("/providers");
    const providers = column(page, "Providers", 1);
    const isOne = async () => (await providers()).map((text) => text.startsWith("one"));
    await expect.poll(isOne).toEqual([true, false]);
    await sortBy(page, "Name", "ascending");
    await expect.poll(isOne).toEqual([false, true]);
    await sortBy(page, "Name", "descending");
    await sortBy(page, "Name", "none");
    await expect.poll(() => searchOf(page)).toBe("");
    await sortBy(page, "Kind", "ascending");
    await page.getByRole("searchbox", { name: "Search" }).fill("ANOTH");
    await expect.poll(async () => (await providers()).length).toBe(1);
    expect(searchOf(page)).toBe("?sort=kind&search=ANOTH");
    await expectAccessible(page);
    await page.reload();
    await expect.poll(async () => (await providers()).length).toBe(1);
    await page.getByRole("searchbox", { name: "Search" }).fill("nothing is called so");
    await page.getByRole("heading", { name: "No provider is like this" }).waitFor();
    await expectAccessible(page);

    await page.goto("/models");
    const models = async () =>
      (await column(page, "Models", 1)()).map((text) => text.replace(/OpenAI's dialect$/, ""));
    await expect.poll(models).toEqual(["one/dear", "one/cheap", "one/free"]);
    await sortBy(page, "Model", "ascending");
    await expect.poll(models).toEqual(["one/cheap", "one/dear", "one/free"]);
    await sortBy(page, "Output, a million tokens", "ascending");
    await sortBy(page, "Output, a million tokens", "descending");
    await expect.poll(models).toEqual(["one/dear", "one/cheap", "one/free"]);
    await page.getByRole("searchbox", { name: "Search" }).fill("ear");
    await expect.poll(models).toEqual(["one/dear"]);
    expect(searchOf(page)).toBe("?sort=-output_usd_per_million&search=ear");
    await page.reload();
    await expect.poll(models).toEqual(["one/dear"]);
    await page.goto("/providers/one?sort=input_usd_per_million");
    await expect.poll(models).toEqual(["one/cheap", "one/dear", "one/free"]);
    await expectAccessible(page);
  },
);

test(
  "[D2] [D1] the heading of the time turns the audit round, and the address keeps it",
  A_WHILE,
  async () => {
    await using bench = await startBench();
    const { page } = bench;
    await bench.open("/audit");
    const times = async () => {
      const texts = await column(page, "Audit records", 2)();
      return [texts.indexOf("provider.create"), texts.lastIndexOf("key.create")];
    };
    await expect.poll(times).toEqual([expect.any(Number), expect.any(Number)]);
    const isNewestFirst = async () => {
      const [provider = -1, key = -1] = await times();
      return provider === -1 || key === -1 ? undefined : key < provider;
    };
    await expect.poll(isNewestFirst).toBe(true);
    await sortBy(page, "Time", "ascending");
    await expect.poll(isNewestFirst).toBe(false);
    expect(searchOf(page)).toBe("?order=oldest");
    await page.reload();
    await expect.poll(isNewestFirst).toBe(false);
  },
);
