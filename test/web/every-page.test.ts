import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { expectNoViolations, inTheme, wholePage } from "./browser.ts";
import { BEFORE_PAGES, type EveryPage, PAGE_PATHS, startEveryPage, THEMES, WIDTHS } from "./every-page.ts";

const SLOW = { timeout: 240_000 };
const HEIGHT = 900;

let pages: EveryPage;
beforeAll(async () => {
  pages = await startEveryPage();
}, 120_000);
afterEach(() => expect(pages.faults()).toEqual([]));
afterAll(() => pages[Symbol.asyncDispose]());

test.each([...BEFORE_PAGES, ...PAGE_PATHS])(
  "[D1] %s: nothing for axe, nothing wider than the screen, one heading, a title, in both themes and three widths",
  SLOW,
  async (place) => {
    const page = await pages.open(place);
    for (const theme of THEMES) {
      await inTheme(page, theme);
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: HEIGHT });
        await wholePage(page);
        expect({ theme, width, tooWide: await tooWide(page) }).toEqual({ theme, width, tooWide: [] });
        const headings = await page.getByRole("heading", { level: 1 }).allTextContents();
        expect(headings).toHaveLength(1);
        expect(await page.title()).toBe(`${headings[0]} · Claviger`);
        await expectNoViolations(page);
      }
    }
  },
);

/** What makes the document wider than the screen. */
function tooWide(page: Page): Promise<string[]> {
  return page.evaluate(`(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth <= clientWidth) return [];
    const wide = [...document.body.querySelectorAll("*")].filter((each) => each.getBoundingClientRect().right > clientWidth);
    return [scrollWidth + " px", ...wide.slice(0, 3).map((each) => each.outerHTML.slice(0, 200))];
  })()`);
}
