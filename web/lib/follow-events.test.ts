import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { ServerEvent } from "./event-stream.ts";
import { followEvents } from "./follow-events.ts";
import { onSignal, type SessionSignal } from "./session-signals.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const events = (text: string) => new Response(text, { status: 200 });
const refusal = (status: number, code: string, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify({ title: code, code }), { status, headers });

/** Follows a server that answers these in turn, then cannot be reached. */
function following(...answers: Response[]) {
  const asked: (string | null)[] = [];
  const heard: ServerEvent[] = [];
  const stop = new AbortController();
  vi.stubGlobal("fetch", async (url: string, { headers }: { headers: Record<string, string> }) => {
    expect(url).toBe("/sse");
    asked.push(new Headers(headers).get("last-event-id"));
    const answer = answers.shift();
    if (answer === undefined) throw new TypeError("Failed to fetch");
    return answer;
  });
  const ended = followEvents(stop.signal, (event) => heard.push(event));
  return { asked, heard, stop, ended };
}

test("after a cut it goes on from the last id, once the time has passed that the server asked for", async () => {
  const { asked, heard, stop, ended } = following(
    events("retry: 2000\nid: 4\n\nid: 5\ndata: 1\n\n"),
    events(": heartbeat\n\ndata: 2\n\n"),
    events("data: 3\n\n"),
  );
  await vi.advanceTimersByTimeAsync(1999);
  expect(asked).toEqual([null]);
  await vi.advanceTimersByTimeAsync(1);
  expect(asked).toEqual([null, "5"]);
  await vi.advanceTimersByTimeAsync(2000);
  expect(asked).toEqual([null, "5", "5"]);
  expect(heard.map(({ data }) => data)).toEqual([1, 2, 3]);
  stop.abort();
  await ended;
});

test("it waits twice as long each time, half a minute at most, and is quick again once there was an answer", async () => {
  const { asked, stop, ended } = following();
  const waits: number[] = [];
  let before = Date.now();
  while (waits.length < 7) {
    const count = asked.length;
    while (asked.length === count) await vi.advanceTimersByTimeAsync(500);
    waits.push((Date.now() - before) / 1000);
    before = Date.now();
  }
  expect(waits).toEqual([1, 2, 4, 8, 16, 30, 30]);
  stop.abort();
  await ended;
  const again = following(refusal(500, "internal"), refusal(500, "internal"), events(""), events(""));
  await vi.advanceTimersByTimeAsync(1000 + 2000);
  expect(again.asked).toHaveLength(3);
  await vi.advanceTimersByTimeAsync(1000);
  expect(again.asked).toHaveLength(4);
  again.stop.abort();
  await again.ended;
});

test("a server that asks for no wait, or for hours, is asked once a second or twice a minute", async () => {
  for (const [retry, waitMs] of [
    [0, 1000],
    [86_400_000, 30_000],
  ]) {
    const { asked, stop, ended } = following(events(`retry: ${retry}\n\n`), events(""));
    await vi.advanceTimersByTimeAsync((waitMs ?? 0) - 1);
    expect(asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(asked).toHaveLength(2);
    stop.abort();
    await ended;
  }
});

test("who may not follow does not ask again; a lock and an end of the session are told to the app", async () => {
  const signals: SessionSignal[] = [];
  const stopHearing = onSignal((signal) => signals.push(signal));
  for (const [status, code] of [
    [401, "invalid_token"],
    [403, "forbidden"],
  ] as const) {
    const { asked, ended } = following(refusal(status, code), events(""));
    await ended;
    expect(asked).toHaveLength(1);
  }
  expect(signals).toEqual(["signed_out"]);
  const locked = following(refusal(503, "server_locked", { "x-claviger-locked": "true" }));
  await vi.advanceTimersByTimeAsync(1);
  expect(signals).toEqual(["signed_out", "locked"]);
  locked.stop.abort();
  await locked.ended;
  stopHearing();
});

test("it ends when it is stopped: before it begins, in the middle of a stream, and while it waits", async () => {
  const stopped = following();
  stopped.stop.abort();
  await stopped.ended;
  const waiting = following();
  await vi.advanceTimersByTimeAsync(10);
  waiting.stop.abort();
  await waiting.ended;
  expect(waiting.asked).toHaveLength(1);
  const { readable, writable } = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>();
  const open = following(new Response(readable));
  await vi.advanceTimersByTimeAsync(10);
  open.stop.abort();
  await writable.abort(new DOMException("stopped", "AbortError"));
  await open.ended;
  expect(vi.getTimerCount()).toBe(0);
});
