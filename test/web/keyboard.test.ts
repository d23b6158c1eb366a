import type { Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { wholePage } from "./browser.ts";
import { BEFORE_PAGES, type EveryPage, PAGE_PATHS, startEveryPage } from "./every-page.ts";
import { pressTab, type Stop, watchFocus } from "./focus-probe.ts";

const SLOW = { timeout: 240_000 };
const HEIGHT = 900;
/** More than this beyond what there is to be reached, and something holds the focus. */
const SPARE_PRESSES = 40;

let pages: EveryPage;
beforeAll(async () => {
  pages = await startEveryPage();
}, 120_000);
afterEach(() => expect(pages.faults()).toEqual([]));
afterAll(() => pages[Symbol.asyncDispose]());

test.each(
  [...BEFORE_PAGES, ...PAGE_PATHS].flatMap((place) => [390, 1440].map((width) => ({ place, width }))),
)(
  "[D1] $place at $width: Tab reaches all there is to use, in the order of the page, each with a ring, and leaves again",
  SLOW,
  async ({ place, width }) => {
    const page = await pages.open(place);
    await page.setViewportSize({ width, height: HEIGHT });
    await wholePage(page);
    await page.evaluate("document.activeElement.blur()");
    const wanted = await watchFocus(page);
    const stops = await walk(page, wanted.length);
    const reached = new Set(stops.map(({ index }) => index));
    expect(wanted.filter((_name, index) => !reached.has(index))).toEqual([]);
    const known = stops.filter(({ index }) => index !== -1);
    expect(known.map(({ index }) => index)).toEqual(wanted.map((_name, index) => index));
    expect(known.filter(({ isRinged }) => !isRinged).map(({ what }) => what)).toEqual([]);
    expect(stops.filter(({ isInView }) => !isInView).map(({ what }) => what)).toEqual([]);
  },
);

/** All stops from the top of the page until it is left. */
async function walk(page: Page, count: number): Promise<Stop[]> {
  const stops: Stop[] = [];
  for (let press = 0; press < count + SPARE_PRESSES; press += 1) {
    const stop = await pressTab(page);
    if (stop.index === null) return stops;
    // A field for a date has a stop for each part of it.
    if (stop.index === -1 || stop.index !== stops.at(-1)?.index) stops.push(stop);
  }
  throw new Error(`the focus is held on ${page.url()} at ${stops.at(-1)?.what}`);
}

test.each(PAGE_PATHS)(
  "[D1] %s: the skip link leads past the navigation; groups and menus are gone through by arrows, and Escape closes",
  SLOW,
  async (place) => {
    const page = await pages.open(place);
    await page.evaluate("document.activeElement.blur()");
    await page.keyboard.press("Tab");
    expect(await focused(page).textContent()).toBe("Skip to the page");
    await page.keyboard.press("Enter");
    expect(await focused(page).getAttribute("id")).toBe("main");
    const main = page.getByRole("main");
    for (const group of await main.getByRole("radiogroup").all()) await moveWithin(page, group);
    for (const opener of (await main.locator("button[aria-haspopup=menu]").all()).slice(0, 2))
      await openMenu(page, opener);
  },
);

const focused = (page: Page) => page.locator(":focus");

/** One on and one back, so that the page is as it was. */
async function moveWithin(page: Page, group: Locator): Promise<void> {
  const values = await Promise.all(
    (await group.getByRole("radio").all()).map((radio) => radio.getAttribute("value")),
  );
  const chosen = group.getByRole("radio", { checked: true });
  const first = values.indexOf(await chosen.getAttribute("value"));
  await chosen.focus();
  await page.keyboard.press("ArrowRight");
  await expect.poll(() => chosen.getAttribute("value")).toBe(values[(first + 1) % values.length]);
  await page.keyboard.press("ArrowLeft");
  await expect.poll(() => chosen.getAttribute("value")).toBe(values[first]);
}

async function openMenu(page: Page, opener: Locator): Promise<void> {
  await opener.focus();
  await page.keyboard.press("Enter");
  const menu = page.getByRole("menu");
  // It is drawn before it takes the focus.
  await page.locator("[role=menu]:focus-within").waitFor();
  const items = menu.getByRole("menuitem");
  for (let item = 0; item < (await items.count()); item += 1) {
    await page.keyboard.press("ArrowDown");
    await menu.locator(":focus[role=menuitem]").waitFor();
  }
  await page.keyboard.press("Escape");
  await menu.waitFor({ state: "detached" });
  await expect.poll(() => opener.and(focused(page)).count()).toBe(1);
}
