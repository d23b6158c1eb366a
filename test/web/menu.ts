import type { Locator } from "playwright-core";
import { expect } from "vitest";

/**
 * Opens a menu by its button and chooses `item`, all by key. A menu that has just opened takes the focus, at times once
 * more than it is seen to: the key is pressed again for as long as the menu, which any choice closes, stayed open.
 */
export async function chooseByKey(opener: Locator, item: Locator): Promise<void> {
  await opener.press("Enter");
  await item.waitFor();
  await expect
    .poll(async () => {
      await item.press("Enter");
      return opener.getAttribute("aria-expanded");
    })
    .toBe("false");
}
