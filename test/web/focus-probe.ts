import type { Page } from "playwright-core";

/** Where the focus came to by one press of the Tab key. */
export interface Stop {
  /** Which of the elements that should be reached, from 0; -1 for another one, null once the page is left. */
  readonly index: number | null;
  readonly what: string;
  /** Whether one sees that it has the focus. */
  readonly isRinged: boolean;
  readonly isInView: boolean;
  readonly isInDialog: boolean;
}

/** Text of a script, since the tests' own program knows no document. */
const PROBE = `(() => {
  const NATIVE = "a[href], button, input, select, textarea, summary";
  const isShown = (each) => each.checkVisibility({ visibilityProperty: true }) && each.getClientRects().length > 0;
  const isMeant = (each) => isShown(each) && !each.disabled && each.closest("[aria-hidden=true], [inert]") === null &&
    (each.tabIndex >= 0 || each.matches(NATIVE));
  // Of a group of which one is chosen by arrows, Tab reaches the chosen one.
  const isStop = (each, _at, all) => {
    if (each.matches("[role=menuitem], [role=option]")) return false;
    if (each.type !== "radio") return true;
    const group = all.filter(({ type, name }) => type === "radio" && name === each.name);
    return each === (group.find(({ checked }) => checked) ?? group[0]);
  };
  const nameOf = (each) => each.tagName.toLowerCase() + " " +
    (each.getAttribute("aria-label") ?? each.labels?.[0]?.textContent ?? each.textContent ?? "").trim().slice(0, 60);
  const around = (each) => [each, each.nextElementSibling, each.parentElement, ...(each.labels ?? [])].filter(Boolean);
  const ringOf = (each) => around(each).map((one) => {
    const { outlineStyle, outlineWidth, outlineColor, boxShadow } = getComputedStyle(one);
    const outline = outlineStyle === "none" || outlineWidth === "0px" ? "none" : outlineWidth + outlineColor;
    return outline + " " + boxShadow;
  });
  return window.focusProbe = {
    begin(within) {
      this.all = [...within.querySelectorAll(NATIVE + ", [tabindex]")].filter(isMeant).filter(isStop);
      this.rings = this.all.map(ringOf);
      return this.all.map(nameOf);
    },
    look() {
      const at = document.activeElement;
      if (at === null || at === document.body || at === document.documentElement)
        return { index: null, what: "nothing", isRinged: false, isInView: true, isInDialog: false };
      const index = this.all.indexOf(at);
      const now = ringOf(at);
      const before = this.rings[index] ?? [];
      const box = at.getBoundingClientRect();
      return {
        index,
        what: nameOf(at),
        isRinged: now.some((ring, each) => ring !== before[each] && ring !== "none none"),
        isInView: box.right > 0 && box.left < innerWidth && box.bottom > 0 && box.top < innerHeight,
        isInDialog: at.closest("[role=dialog]") !== null,
      };
    },
  };
})()`;

/** Begins to watch the focus: the names of all that the keyboard must reach below `within`, in the order of the page. */
export async function watchFocus(page: Page, within = "body"): Promise<string[]> {
  await page.evaluate(`${PROBE}, undefined`);
  return page.evaluate(`focusProbe.begin(document.querySelector(${JSON.stringify(within)}))`);
}

export async function pressTab(page: Page): Promise<Stop> {
  await page.keyboard.press("Tab");
  return page.evaluate("focusProbe.look()");
}
