import { useEffect, useState } from "react";

/** A button that waits for an answer is disabled, and loses the focus before its window is there. */
let lastFocused: Element | null = null;
document.addEventListener("focusin", ({ target }) => {
  lastFocused = target instanceof Element ? target : null;
});

/** Once a window is gone, gives the focus back to what opened it; of an item of a menu, to the menu's button. */
export function useReturnFocus(): void {
  const [opener] = useState(() =>
    openerOf(document.activeElement === document.body ? lastFocused : document.activeElement),
  );
  useEffect(
    () => () => {
      const isThere = opener instanceof HTMLElement && opener.isConnected;
      const next = isThere ? opener : document.getElementById("main");
      next?.focus({ preventScroll: true });
    },
    [opener],
  );
}

function openerOf(active: Element | null): Element | null {
  const menu = active?.closest("[role=menu]");
  return menu ? document.querySelector(`[aria-controls="${CSS.escape(menu.id)}"]`) : active;
}
