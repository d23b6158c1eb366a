import { setTimeout as pause } from "node:timers/promises";
import type { Output } from "../output.ts";
import type { ResealProgress, ServerKeyCalls } from "./key-calls.ts";

const LOOK_EVERY_MS = 500;
const WIDTH = 30;

/** What `work` gives; until it does, the terminal shows how far the re-sealing is. */
export async function withProgress<Result>(
  output: Output,
  calls: Pick<ServerKeyCalls, "progress">,
  work: Promise<Result>,
): Promise<Result> {
  const settled = work.then(
    () => true,
    () => true,
  );
  try {
    while (!(await Promise.race([settled, pause(LOOK_EVERY_MS, false, { ref: false })])))
      // Only shown: whether the work is done is for its own answer to say.
      await calls.progress().then(
        (seen) => show(output, seen),
        () => undefined,
      );
    return await work;
  } finally {
    output.progress("");
  }
}

/** Shows how far the re-sealing is until none runs; gives what it came to. */
export async function watchReseal(
  output: Output,
  calls: Pick<ServerKeyCalls, "progress">,
): Promise<ResealProgress> {
  try {
    for (;;) {
      const seen = await calls.progress();
      if (!seen.running) return seen;
      show(output, seen);
      await pause(LOOK_EVERY_MS);
    }
  } finally {
    output.progress("");
  }
}

function show(output: Output, { running, done, total }: ResealProgress): void {
  if (!running || total === 0) return;
  const filled = Math.floor((WIDTH * done) / total);
  output.progress(`re-sealing [${"#".repeat(filled).padEnd(WIDTH)}] ${done} of ${total}`);
}
