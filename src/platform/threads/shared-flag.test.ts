import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { SharedFlag } from "./shared-flag.ts";

test("what one thread raises or lowers, another finds so at its next look", async () => {
  const flag = new SharedFlag();
  expect(flag.raised).toBe(false);
  // The other looks once a word, and says what it finds.
  const program = `
    import { parentPort, workerData } from "node:worker_threads";
    const { SharedFlag } = await import(workerData.module);
    const flag = new SharedFlag(workerData.memory);
    parentPort.on("message", (word) => {
      if (word === "raise") flag.raise();
      parentPort.postMessage(flag.raised);
    });
  `;
  const other = new Worker(new URL(`data:text/javascript,${encodeURIComponent(program)}`), {
    workerData: { memory: flag.memory, module: new URL("./shared-flag.ts", import.meta.url).href },
  });
  const ask = async (word: string) => {
    other.postMessage(word);
    const [raised] = await once(other, "message");
    return raised;
  };
  expect(await ask("look")).toBe(false);
  flag.raise();
  expect(flag.raised).toBe(true);
  expect(await ask("look")).toBe(true);
  flag.lower();
  expect(await ask("look")).toBe(false);
  expect(await ask("raise")).toBe(true);
  expect(flag.raised).toBe(true);
  await other.terminate();
});
