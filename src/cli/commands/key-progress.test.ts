import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { createOutput } from "../output.ts";
import type { ResealProgress } from "./key-calls.ts";
import { watchReseal, withProgress } from "./key-progress.ts";

/** A terminal, and calls that give one `seen` after the other; `asked` settles with the last. */
function terminal(seen: readonly (ResealProgress | Error)[]) {
  const stderr = Object.assign(new PassThrough(), { isTTY: true });
  const last = Promise.withResolvers<void>();
  const left = [...seen];
  const progress = async () => {
    const next = left.shift();
    if (left.length === 0) last.resolve();
    if (next === undefined || next instanceof Error) throw next ?? new Error("asked once too often");
    return next;
  };
  return {
    output: createOutput({ stdout: new PassThrough(), stderr, json: false, noColor: true }),
    calls: { progress },
    asked: last.promise,
    shown: () => String(stderr.read()),
  };
}

const half: ResealProgress = { running: true, done: 5, total: 10 };

test("how far a re-sealing is stands on the terminal until the work is done, whatever a look comes to", async () => {
  const { output, calls, asked, shown } = terminal([new Error("no answer"), half]);
  expect(
    await withProgress(
      output,
      calls,
      asked.then(() => "done"),
    ),
  ).toBe("done");
  expect(shown()).toMatch(/re-sealing \[#{15} {15}\] 5 of 10\r\S*$/);
});

test("a re-sealing is watched until none runs", async () => {
  const over = { ...half, running: false, done: 10 };
  const { output, calls, shown } = terminal([half, over]);
  expect(await watchReseal(output, calls)).toEqual(over);
  expect(shown()).toContain("5 of 10");
});
