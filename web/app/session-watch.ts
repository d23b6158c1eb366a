import type { QueryClient } from "@tanstack/react-query";
import { keyStatus } from "#features/server-key/api/key-status.ts";
import { whoAmI } from "#features/session/api/who-am-i.ts";
import { onSignal, type SessionSignal } from "#lib/session-signals.ts";

/** By which the tabs of one browser tell each other of a lock, whichever of them learned of it. */
const TABS = "claviger-locked";

/** Has the whole app follow what any call learned: locked, signed out, a password to be changed. */
export function watchSession(client: QueryClient): () => void {
  const tabs = new BroadcastChannel(TABS);
  const showLocked = () => client.setQueryData(keyStatus().queryKey, { initialized: true, unlocked: false });
  tabs.onmessage = showLocked;
  const stop = onSignal((signal: SessionSignal) => {
    switch (signal) {
      case "locked":
        showLocked();
        tabs.postMessage("locked");
        return;
      case "signed_out":
        forget(client);
        client.setQueryData(whoAmI().queryKey, null);
        return;
      case "password_change_required":
        void client.invalidateQueries({ queryKey: whoAmI().queryKey });
        return;
      default:
        signal satisfies never;
    }
  });
  return () => {
    stop();
    tabs.close();
  };
}

/** Nothing that one person read is there for the next. */
function forget(client: QueryClient): void {
  const kept = new Set([keyStatus().queryKey[0], whoAmI().queryKey[0]]);
  client.removeQueries({ predicate: ({ queryKey }) => !kept.has(String(queryKey[0])) });
}
