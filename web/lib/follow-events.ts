import { announced } from "./api.ts";
import { ApiProblem, problemOf } from "./api-problem.ts";
import { readEvents, type ServerEvent } from "./event-stream.ts";

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;

/**
 * Follows `/sse` until `stop` aborts: `onEvent` hears every event. After a cut it goes on from the last id, waiting as long
 * as the server asked for, then longer each time; who may not follow is not let in by asking again.
 */
export async function followEvents(stop: AbortSignal, onEvent: (event: ServerEvent) => void): Promise<void> {
  let last = "";
  let firstMs = FIRST_WAIT_MS;
  let waitMs = firstMs;
  const onId = (id: string) => {
    last = id;
  };
  const onRetry = (ms: number) => {
    firstMs = Math.min(Math.max(ms, FIRST_WAIT_MS), LONGEST_WAIT_MS);
    waitMs = firstMs;
  };
  while (!stop.aborted) {
    try {
      const headers = last === "" ? {} : { "last-event-id": last };
      const response = await fetch("/sse", { headers, signal: stop, redirect: "error" });
      if (!response.ok || response.body === null) throw announced(await problemOf(response));
      waitMs = firstMs;
      await readEvents(response.body, { onEvent, onId, onRetry });
    } catch (error) {
      if (error instanceof ApiProblem && [401, 403].includes(error.status)) return;
    }
    await pause(waitMs, stop);
    waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
  }
}

function pause(ms: number, stop: AbortSignal): Promise<void> {
  if (stop.aborted) return Promise.resolve();
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
