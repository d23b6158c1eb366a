import type { QueryClient } from "@tanstack/react-query";
import { keyStatus } from "#features/server-key/api/key-status.ts";
import { whoAmI } from "#features/session/api/who-am-i.ts";
import { onSignal, type SessionSignal } from "#lib/session-signals.ts";

/** Has the whole app follow what any call learned: locked, signed out, a password to be changed. */
export function watchSession(client: QueryClient): () => void {
  return onSignal((signal: SessionSignal) => {
    switch (signal) {
      case "locked":
        client.setQueryData(keyStatus().queryKey, { initialized: true, unlocked: false });
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
}

/** Nothing that one person read is there for the next. */
function forget(client: QueryClient): void {
  const kept = new Set([keyStatus().queryKey[0], whoAmI().queryKey[0]]);
  client.removeQueries({ predicate: ({ queryKey }) => !kept.has(String(queryKey[0])) });
}
