import { setImmediate as nextTurn } from "node:timers/promises";
import { MessageChannel } from "node:worker_threads";
import { afterEach, beforeEach, expect, test } from "vitest";
import { AppError } from "../lib/error.ts";
import { ThreadCalls } from "./thread-calls.ts";

type Question = { readonly kind: "count" | "fail" | "break" | "wait" | "word"; readonly number: number };
type Result = { readonly kind: "counted"; readonly number: number } | { readonly kind: "other" };

/** Two ends in one thread, with a channel between them as there is between threads. */
function connect() {
  const { port1, port2 } = new MessageChannel();
  const heard: number[] = [];
  const waiting = Promise.withResolvers<void>();
  const far = new ThreadCalls<never, never, Question, Result>(port2, async ({ kind, number }) => {
    heard.push(number);
    if (kind === "fail") throw new AppError("storage_full", "No room.", { detail: "for the operator" });
    if (kind === "break") throw new TypeError("something of its own");
    if (kind === "wait") await waiting.promise;
    return { kind: "counted", number };
  });
  const near = new ThreadCalls<Question, Result, never, never>(port1, () => {
    throw new Error("nothing is asked here");
  });
  port1.on("message", near.receive);
  port2.on("message", far.receive);
  return { port1, near, heard, release: waiting.resolve };
}

let ends: ReturnType<typeof connect>;
beforeEach(() => {
  ends = connect();
});
afterEach(() => ends.port1.close());

test("what is said and asked arrives in the order it was sent, and each answer goes to its question", async () => {
  const { near, heard } = ends;
  const answers: Promise<Result>[] = [];
  for (let number = 0; number < 20; number += 1)
    if (number % 3 === 0) near.tell({ kind: "word", number });
    else answers.push(near.ask({ kind: "count", number }, "counted"));
  const counted = (await Promise.all(answers)).map((answer) => "number" in answer && answer.number);
  expect(heard).toEqual(Array.from({ length: 20 }, (_, number) => number));
  expect(counted).toEqual(heard.filter((number) => number % 3 !== 0));
});

test("a question that waits holds up none behind it", async () => {
  const { near, release } = ends;
  const slow = near.ask({ kind: "wait", number: 1 }, "counted");
  expect(await near.ask({ kind: "count", number: 2 }, "counted")).toEqual({ kind: "counted", number: 2 });
  release();
  expect(await slow).toEqual({ kind: "counted", number: 1 });
});

test("an AppError crosses with its code, words and detail; what else is thrown is internal", async () => {
  const failure = await ends.near
    .ask({ kind: "fail", number: 1 }, "counted")
    .catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(AppError);
  expect(failure).toMatchObject({ code: "storage_full", message: "No room.", detail: "for the operator" });
  const broken = await ends.near
    .ask({ kind: "break", number: 2 }, "counted")
    .catch((error: unknown) => error);
  expect(broken).toMatchObject({ code: "internal", detail: "something of its own" });
  expect(broken).toHaveProperty("message", new AppError("internal").message);
});

test("an answer of another kind is an error", async () => {
  await expect(ends.near.ask({ kind: "count", number: 1 }, "other")).rejects.toThrow(
    "answered counted where other was asked for",
  );
});

test("when the other thread has ended, what waits and what is asked later is internal, and nothing more is sent", async () => {
  const { near, heard, port1 } = ends;
  const pending = near.ask({ kind: "wait", number: 1 }, "counted");
  pending.catch(() => undefined);
  await near.ask({ kind: "count", number: 2 }, "counted");
  near.end(new Error("it fell"));
  near.end(new Error("again"));
  const internal = { code: "internal", detail: "a thread ended: it fell" };
  await expect(pending).rejects.toMatchObject(internal);
  await expect(near.ask({ kind: "count", number: 3 }, "counted")).rejects.toMatchObject(internal);
  near.tell({ kind: "word", number: 4 });
  port1.postMessage({ told: { kind: "word", number: 5 } });
  while (!heard.includes(5)) await nextTurn();
  expect(heard).toEqual([1, 2, 5]);
});
