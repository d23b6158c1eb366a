import { expect, test } from "vitest";
import { listenerPolicy } from "#test/listener-policy.ts";
import { createLog } from "../log/log.ts";
import { logAccess, logBroken } from "./access-log.ts";
import type { Exchange } from "./exchange.ts";

const listener = listenerPolicy({ name: "local" });

const exchangeWith = (more: Partial<Exchange>): Exchange => ({
  requestId: "req_0001",
  time: 0,
  startedMs: performance.now() - 12.345,
  listener,
  address: "127.0.0.1",
  method: "POST",
  route: undefined,
  head: undefined,
  caller: undefined,
  proof: undefined,
  cookie: undefined,
  admission: undefined,
  target: undefined,
  refusal: undefined,
  errorCode: undefined,
  ...more,
});

/** A log at `level`, and what it wrote. */
function openedLog(level = "info") {
  const lines: string[] = [];
  return { lines, log: createLog({ level, sink: { write: (line) => void lines.push(line) } }) };
}

const STRANGE = [
  'a"b\\c',
  "\u0000\u0007\b\t\n\f\r\u001b[31m\u001f",
  '","status":999,"code":"',
  '"}\n{"level":60}',
  "\u2028\u2029\u007f\u0085\ufeff",
  "\ud800 \udfff",
  "é😀",
];

test.each(STRANGE)("[W2] whoever it comes from, %j stays within its field and its line", (text) => {
  const { lines, log } = openedLog();
  const caller = { kind: "key", id: text, permissionSets: [], slot: 0 } as const;
  logAccess(log, exchangeWith({ requestId: text, address: text, method: text, caller }), { status: 200 });
  logBroken(log, listener, { requestId: text, address: text, code: "bad_request" });
  for (const line of lines) {
    expect(line.indexOf("\n")).toBe(line.length - 1);
    // No control character may stand in a line as it is, nor half of a surrogate pair.
    expect([...line.slice(0, -1)].filter((character) => character < " ")).toEqual([]);
    expect(line.isWellFormed()).toBe(true);
    expect(JSON.parse(line)).toMatchObject({ request_id: text, address: text, method: "other" });
  }
  expect(Object.keys(JSON.parse(lines[0] ?? ""))).toEqual([
    ...["level", "time", "request_id", "listener", "address", "method", "route", "status"],
    ...["principal", "latency_ms", "msg"],
  ]);
  expect(JSON.parse(lines[0] ?? "").principal).toBe(text);
});

test("[W2] an access line is, to the letter, what the log writes of the same fields", () => {
  const { lines, log } = openedLog();
  const bare = exchangeWith({ address: null });
  const full = exchangeWith({
    route: {
      method: "POST",
      path: "/v1/chat/completions",
      action: "gateway.use",
      openWhileLocked: false,
      family: "gateway",
    },
    caller: { kind: "local" },
    refusal: "revoked",
    errorCode: "invalid_token",
  });
  for (const exchange of [bare, full]) logAccess(log, exchange, { status: 401 });
  logBroken(log, listener, { requestId: "req_0002", address: null, code: "bad_request" });
  for (const line of lines.slice()) {
    const { level, msg, ...fields } = JSON.parse(line);
    expect([level, msg]).toEqual([30, "request"]);
    log.info(fields, "request");
    expect(lines.at(-1)).toBe(line);
  }
  const { time, latency_ms, ...rest } = JSON.parse(lines[1] ?? "");
  expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  expect(latency_ms).toBeGreaterThanOrEqual(12.34);
  expect(String(latency_ms)).toMatch(/^\d+(\.\d{1,2})?$/);
  expect(rest).toEqual({
    ...{ level: 30, request_id: "req_0001", listener: "local", address: "127.0.0.1", method: "POST" },
    ...{ route: "/v1/chat/completions", status: 401, principal: "local", reason: "revoked" },
    ...{ code: "invalid_token", msg: "request" },
  });
});

test("[W2] an access line is as old as its request's end", () => {
  const { lines, log } = openedLog();
  const began = Date.now();
  for (let after = 0; after < 3; after++) {
    const end = performance.now() + 2;
    while (performance.now() < end);
    logAccess(log, exchangeWith({}), { status: 200 });
  }
  const times = lines.map((line) => Date.parse(JSON.parse(line).time));
  expect(times).toEqual([...new Set(times)].sort((one, other) => one - other));
  expect(times[0]).toBeGreaterThan(began);
  expect(times[2]).toBeLessThanOrEqual(Date.now());
});

test.each([
  ["trace", 1],
  ["info", 1],
  ["warn", 0],
  ["silent", 0],
])("[W2] at level %s there are %d lines of a request", (level, written) => {
  const { lines, log } = openedLog(level);
  logAccess(log, exchangeWith({}), { status: 200 });
  expect(lines).toHaveLength(written);
});
