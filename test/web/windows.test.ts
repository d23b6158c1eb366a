import type { Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { expectNoViolations, wholePage } from "./browser.ts";
import { type EveryPage, PAGE_PATHS, startEveryPage } from "./every-page.ts";
import { pressTab, watchFocus } from "./focus-probe.ts";
import { chooseByKey } from "./menu.ts";

const SLOW = { timeout: 240_000 };
const HEIGHT = 900;
const SPARE_PRESSES = 12;
/** What opens a window says so by its words. */
const OPENS_WINDOW = /^New |…$/;
/** And those whose words are the thing itself. */
const OPENERS: Readonly<Record<string, string>> = {
  "/requests": "tbody tr:first-child button",
  "/audit": "tbody tr:first-child button",
  "/nodes": "button:has-text('Lock all nodes')",
};

let pages: EveryPage;
beforeAll(async () => {
  pages = await startEveryPage();
}, 120_000);
afterEach(() => expect(pages.faults()).toEqual([]));
afterAll(() => pages[Symbol.asyncDispose]());

test.each(PAGE_PATHS)(
  "[D1] %s: each window it opens holds the focus until Escape, which gives it back, and has nothing for axe",
  SLOW,
  async (path) => {
    const page = await pages.open(path);
    const main = page.getByRole("main");
    const named = await main.getByRole("button", { name: OPENS_WINDOW }).and(main.locator(":enabled")).all();
    const special = OPENERS[path] === undefined ? [] : [main.locator(OPENERS[path]).first()];
    for (const opener of [...named, ...special]) {
      await opener.focus();
      await page.keyboard.press("Enter");
      await expectWindow(page, opener);
    }
    const menu = main.getByRole("button", { name: /^Actions for / }).first();
    for (const item of await itemsOf(page, menu)) {
      await chooseByKey(menu, page.getByRole("menuitem", { name: item, exact: true }));
      await expectWindow(page, menu);
    }
  },
);

/** The words of a menu that open a window. */
async function itemsOf(page: Page, menu: Locator): Promise<string[]> {
  if ((await menu.count()) === 0) return [];
  await menu.click();
  await page.getByRole("menu").waitFor();
  const items = await page.getByRole("menuitem").allTextContents();
  await page.keyboard.press("Escape");
  await page.getByRole("menu").waitFor({ state: "detached" });
  return items.filter((item) => OPENS_WINDOW.test(item));
}

async function expectWindow(page: Page, opener: Locator): Promise<void> {
  const dialog = page.getByRole("dialog");
  await dialog.waitFor();
  await page.getByRole("menu").waitFor({ state: "detached" });
  await wholePage(page);
  for (const width of [390, 1440]) {
    await page.setViewportSize({ width, height: HEIGHT });
    await expectNoViolations(page);
  }
  await dialog.locator(":focus").waitFor();
  const wanted = await watchFocus(page, "[role=dialog]");
  const reached = new Set<number | null>();
  // Once round: a field for a date has a stop for each part of it.
  for (let press = 0; press < wanted.length + SPARE_PRESSES; press += 1) {
    const stop = await pressTab(page);
    expect({ ...stop, isInDialog: true }).toEqual(stop);
    reached.add(stop.index);
  }
  expect(wanted.filter((_name, index) => !reached.has(index))).toEqual([]);
  // One that shows what is shown this once is closed by its buttons alone.
  const isGrave = (await dialog.getByRole("button", { name: "Close", exact: true }).count()) === 0;
  if (isGrave) return page.reload().then(() => wholePage(page));
  // A list that is open in it closes first.
  await page.keyboard.press("Escape");
  if ((await dialog.count()) > 0) await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await expect.poll(() => opener.and(page.locator(":focus")).count()).toBe(1);
}
