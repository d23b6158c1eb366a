import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import * as z from "zod";
import { systemRandom } from "#platform/lib/random.ts";
import { createLog } from "#platform/log/log.ts";
import { startClaviger } from "#test/claviger.ts";
import { claviger, type Ended, type Served, scratch, serve } from "#test/start/process.ts";
import { sendToApi } from "./api-sendings.ts";
import { Canaries, type Finding, filesUnder } from "./canaries.ts";
import { sendByCommand } from "./command-sendings.ts";
import { startEchoUpstream } from "./echo-upstream.ts";
import { sendThroughGateway } from "./gateway-sendings.ts";
import { sendServerKeys } from "./key-sendings.ts";
import { sendMalformed } from "./malformed-sendings.ts";
import type { Subject } from "./subject.ts";

vi.setConfig({ testTimeout: 120_000 });

const TALKATIVE = { LOG_LEVEL: "trace", ENABLE_REQUEST_LOGS: "true" };

for (const signal of ["SIGTERM", "SIGKILL"] as const)
  test(`[G8] [G3] no canary is on disk or in any output, after ${signal}`, async () => {
    using place = scratch();
    const canaries = new Canaries(systemRandom);
    await using upstream = await startEchoUpstream();
    await using server = await serve(place.path, { env: TALKATIVE });
    const subject = await prepare(server, place.path, upstream);
    await sendThroughGateway(subject, canaries);
    await sendMalformed(subject, canaries);
    await sendToApi(subject, canaries);
    const commands = await sendByCommand(subject, canaries);
    const keyCommands = await sendServerKeys(subject, canaries);
    // It is not for want of arriving that they are not found.
    expect(canaries.search("upstream", Buffer.from(upstream.seen)).length).toBeGreaterThan(300);
    const ended = await server.kill(signal);
    expect(ended.status).toBe(signal === "SIGTERM" ? 0 : "SIGKILL");
    expect(ended.stdout.split("\n").length).toBeGreaterThan(300);
    expect(findings(canaries, place.path, ended, commands + keyCommands)).toEqual([]);
    await expect(report(canaries)).toMatchFileSnapshot("../../docs/canary.md");
  });

test("[G8] a planted canary is found in whichever code, in a file and in the log, and told where it had been sent", () => {
  using place = scratch();
  const canaries = new Canaries(systemRandom);
  const canary = canaries.plain("prompts", "a place");
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  createLog({ level: "trace", sink: { write } }).info({ detail: canary }, "planted");
  const hex = Buffer.from(canary).toString("hex");
  const coded = ["", "a", "ab"].flatMap((before) =>
    (["base64", "base64url"] as const).map((code) => Buffer.from(`${before}${canary} end`).toString(code)),
  );
  for (const text of [canary, hex, hex.toUpperCase(), JSON.stringify(canary), ...coded]) {
    writeFileSync(join(place.root, "leak"), `before ${text} after`);
    const [[path, bytes] = ["", Buffer.alloc(0)]] = filesUnder(place.root);
    expect(canaries.search(path, bytes).map(({ lies }) => lies)).toContain(join(place.root, "leak"));
  }
  expect(canaries.search("log", Buffer.from(lines.join("")))).toEqual([
    { lies: "log", code: "raw", sent: "prompts: a place" },
  ]);
  expect(canaries.search("other", systemRandom.bytes(4096))).toEqual([]);
});

async function prepare(server: Served, dataDir: string, upstream: Subject["upstream"]): Promise<Subject> {
  const run = async (args: readonly string[], input = "") => {
    const { status, stdout, stderr } = await claviger([...args, "--data-dir", dataDir], { input });
    expect(status, stderr).toBe(0);
    return stdout;
  };
  const credential = systemRandom.bytes(24).toString("hex");
  const kind = ["--kind", "openai-compatible", "--base-url", upstream.baseUrl];
  await run(["provider", "add", "echo", ...kind], `${credential}\n`);
  const keyWith = async (set: string) => {
    const made = await run(["api-key", "create", set, "--json", "--permissions", set]);
    return z.object({ key: z.string() }).parse(JSON.parse(made)).key;
  };
  const key = await keyWith("operator");
  const [lesserKey, readingKey] = [await keyWith("gateway"), await keyWith("viewer")];
  return { url: server.url, dataDir, key, lesserKey, readingKey, upstream, routes: await apiRoutes() };
}

/** The API's routes, asked of a server like the one that is tried. */
async function apiRoutes(): Promise<Subject["routes"]> {
  await using other = await startClaviger();
  return other.app.routes().flatMap(({ method, contract }) => {
    const path = contract?.path ?? "";
    return path.startsWith("/api/") && method !== "HEAD" ? [{ method, path }] : [];
  });
}

function findings(canaries: Canaries, dataDir: string, ended: Ended, commands: string): Finding[] {
  const places: [string, Buffer][] = [
    ...filesUnder(dataDir),
    ["stdout", Buffer.from(ended.stdout)],
    ["stderr", Buffer.from(ended.stderr)],
    ["commands", Buffer.from(commands)],
  ];
  return places.flatMap(([name, bytes]) => canaries.search(name, bytes));
}

function report(canaries: Canaries): string {
  const counts = [...canaries.counts()];
  const rows = counts.map(([group, count]) => `| ${group} | ${count} | 0 |`);
  const sum = counts.reduce((total, [, count]) => total + count, 0);
  return `# Canaries

Texts made for the occasion, one for each place, are sent through a server that logs at level \`trace\` with
\`ENABLE_REQUEST_LOGS\`, in front of an upstream that repeats everything it hears in headers, bodies, errors and model
lists, and breaks off in every way. Then the server is stopped, once in good order and once by \`SIGKILL\`, and every file
of its data directory, its standard output and error and those of the commands are searched for each canary: as it is,
URL-coded, as JSON escapes it, in hexadecimal and in base64 at each alignment. A credential that was kept lies there as
ciphertext only.

| sent in | places | found |
| --- | ---: | ---: |
${rows.join("\n")}
| together | ${sum} | 0 |

Not among them, because they are kept on purpose: names that were accepted, addresses of providers, and a request id
of the form that counts. The table is checked by [test/canary/canary.test.ts](../test/canary/canary.test.ts) and written
by \`npm run test:system -- test/canary -u\`.
`;
}
