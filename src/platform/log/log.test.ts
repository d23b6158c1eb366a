import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { systemRandom } from "#platform/lib/random.ts";
import { Secret } from "#platform/lib/secret.ts";
import { createLog } from "./log.ts";

test("[W2] only plain values of allowed fields reach the sink, at the most verbose level too", () => {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  const log = createLog({ level: "trace", sink: { write } });
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
  const log = createLog({ level: "warn", sink: { write } });
  log.info({}, "quiet");
  log.warn({}, "loud");
  expect(lines.map((line) => JSON.parse(line).msg)).toEqual(["loud"]);
});

test("[W2] every line has each of its fields once, also where a row brings its own time", () => {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  const log = createLog({ level: "trace", sink: { write } });
  const row = { time: "2026-01-10T00:00:00.000Z", status: 200, level: 99, msg: "theirs" };
  log.info(row, "a row");
  log.info("no fields");
  log.error(new Error("an error"), "an error object");
  for (const line of lines) {
    const keys = [...line.matchAll(/[{,]"(\w+)":/g)].map(([, key]) => key);
    expect(keys).toEqual([...new Set(keys)]);
    expect(keys).toContain("time");
  }
  expect(JSON.parse(lines[0] ?? "")).toEqual({ level: 30, time: row.time, status: 200, msg: "a row" });
});

test.each([
  ["ends", ""],
  ["exits", "process.exit(0);"],
  ["fails", 'throw new Error("a fault");'],
])("[W2] a process that %s right behind its last line has written it", (_how, end) => {
  const module = JSON.stringify(new URL("log.ts", import.meta.url).href);
  const output = JSON.stringify(new URL("standard-output.ts", import.meta.url).href);
  const program = `import { createLog } from ${module};
    import { standardOutput } from ${output};
    const log = createLog({ level: "info", sink: await standardOutput({ readable: false }) });
    for (let status = 0; status < 300; status++) log.info({ status }, "request");
    ${end}`;
  const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
    encoding: "utf8",
  });
  const lines = stdout.trimEnd().split("\n");
  expect(lines.map((line) => JSON.parse(line).status)).toEqual(Array.from({ length: 300 }, (_, at) => at));
});

test("[W2] on a terminal a request's line is as readable as any other", () => {
  const module = JSON.stringify(new URL("log.ts", import.meta.url).href);
  const output = JSON.stringify(new URL("standard-output.ts", import.meta.url).href);
  const program = `import { createLog } from ${module};
    import { standardOutput } from ${output};
    const log = createLog({ level: "info", sink: await standardOutput({ readable: true }) });
    log.access({ requestId: "r", listener: "l", address: "a", method: "GET", route: "/x", status: 200 });
    log.info({ request_id: "r", listener: "l", address: "a", method: "GET", route: "/x", status: 200 }, "request");`;
  const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
    encoding: "utf8",
  });
  const [first, second, ...more] = stdout
    .trimEnd()
    .replaceAll(/\[\d\d:\d\d:\d\d\.\d+\]/g, "[]")
    .split("\n");
  expect(first).toContain("request");
  expect(first).not.toContain('"msg"');
  expect([second, more]).toEqual([first, []]);
});
