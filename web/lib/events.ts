import { type QueryKey, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { announced } from "./api.ts";
import { ApiProblem, problemOf } from "./api-problem.ts";
import { atMostEvery } from "./at-most-every.ts";
import { readEvents, type ServerEvent } from "./event-stream.ts";
import { signal } from "./session-signals.ts";

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;
const listeners = new Set<(event: ServerEvent) => void>();

/**
 * Follows `/sse` until `stop` aborts: every event reaches those who listen, `seal.locked` locks the app. After a cut it
 * goes on from the last id, waiting longer each time; who may not follow is not let in by asking again.
 */
export async function followEvents(stop: AbortSignal): Promise<void> {
  let last = "";
  let waitMs = FIRST_WAIT_MS;
  while (!stop.aborted) {
    try {
      const headers = last === "" ? {} : { "last-event-id": last };
      const response = await fetch("/sse", { headers, signal: stop, redirect: "error" });
      if (!response.ok || response.body === null) throw announced(await problemOf(response));
      waitMs = FIRST_WAIT_MS;
      await readEvents(response.body, { onEvent: tell, onId: (id) => (last = id) });
    } catch (error) {
      if (error instanceof ApiProblem && [401, 403].includes(error.status)) return;
    }
    await pause(waitMs, stop);
    waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
  }
}

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

function tell(event: ServerEvent): void {
  if (event.type === "seal.locked") signal("locked");
  for (const listener of listeners) listener(event);
}

function pause(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    stop.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
