import { useEffect, useState } from "react";

/** Once a window is gone, gives the focus back to what opened it; of an item of a menu, to the menu's button. */
export function useReturnFocus(): void {
  const [opener] = useState(() => openerOf(document.activeElement));
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
