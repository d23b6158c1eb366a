import { type QueryKey, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { atMostEvery } from "./at-most-every.ts";
import type { ServerEvent } from "./event-stream.ts";
import { signal } from "./session-signals.ts";

const listeners = new Set<(event: ServerEvent) => void>();

/**
 * Reads the queries below `keys` afresh whenever an event comes whose type begins with one of `types` (`key`, `node`), or
 * events may have been missed; at most once in `everyMs`.
 */
export function useEventRefresh(types: readonly string[], keys: readonly QueryKey[], everyMs = 0): void {
  const client = useQueryClient();
  const wanted = JSON.stringify([types, keys]);
  useEffect(() => {
    const [wantedTypes, wantedKeys]: [string[], QueryKey[]] = JSON.parse(wanted);
    const refresh = atMostEvery(everyMs, () => {
      for (const queryKey of wantedKeys) void client.invalidateQueries({ queryKey });
    });
    const listener = ({ type }: ServerEvent) => {
      if (type === "reset" || wantedTypes.some((each) => type === each || type.startsWith(`${each}.`)))
        refresh.ask();
    };
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      refresh.stop();
    };
  }, [client, wanted, everyMs]);
}

/** Every event reaches those who listen; `seal.locked` locks the app. */
export function tellEvent(event: ServerEvent): void {
  if (event.type === "seal.locked") signal("locked");
  for (const listener of listeners) listener(event);
}
