import { expect, test } from "vitest";
import { systemRandom } from "#platform/lib/random.ts";
import { Secret } from "#platform/lib/secret.ts";
import { createLog } from "./log.ts";

test("[W2] only plain values of allowed fields reach the sink, at the most verbose level too", () => {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  const log = createLog({ level: "trace", readable: false, destination: { write } });
  const secret = systemRandom.bytes(24).toString("hex");
  for (const level of ["trace", "debug", "info", "warn", "error", "fatal"] as const) {
    log[level]({ status: 200, authorization: secret, headers: { cookie: secret } }, "request");
    log[level]({ detail: { body: secret }, reason: [secret], code: new Secret(secret) }, "nested");
    log[level](new Error(secret), "an error object");
  }
  expect(lines).toHaveLength(18);
  expect(lines.join("")).not.toContain(secret);
  const { time, ...first } = JSON.parse(lines[0] ?? "");
  expect(first).toEqual({ level: 10, status: 200, msg: "request" });
  expect(time).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
});

test("[W2] what is below the level is not written", () => {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  const log = createLog({ level: "warn", readable: false, destination: { write } });
  log.info({}, "quiet");
  log.warn({}, "loud");
  expect(lines.map((line) => JSON.parse(line).msg)).toEqual(["loud"]);
});
