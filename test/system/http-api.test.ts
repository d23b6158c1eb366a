import { createReadStream, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ApiBench, type Arrived, startApiBench } from "#test/gateway/http-api-bench.ts";
import { seededRandom } from "#test/seeded-random.ts";
import { requiredTool } from "./required-tool.ts";
import { type ProgramRun, runProgram } from "./run-program.ts";

const MIB = 1024 * 1024;
const LIMIT = 8 * MIB;
const BYTES = seededRandom(11).bytes(5 * MIB);

let bench: ApiBench;
let directory: string;
let file: string;
let received: Buffer;

beforeAll(async () => {
  bench = await startApiBench({ server: { yaml: `settings:\n  gateway_body_limit_bytes: ${LIMIT}\n` } });
  bench.api.handle(serveFiles);
  directory = mkdtempSync(path.join(tmpdir(), "http-api-"));
  file = path.join(directory, "file");
  writeFileSync(file, BYTES);
});
afterAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  await bench[Symbol.asyncDispose]();
});

/** A file server: takes what is put, gives the file, whole or in ranges, and knows its tag. */
async function serveFiles(response: ServerResponse, { message, method, header }: Arrived): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(Buffer.from(chunk));
  received = Buffer.concat(chunks);
  if (method !== "GET" && method !== "HEAD") {
    response.writeHead(201, { location: "/base/made" }).end(String(received.length));
    return;
  }
  if (header("if-none-match") === '"one"') {
    response.writeHead(304, { etag: '"one"' }).end();
    return;
  }
  const { size } = statSync(file);
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(header("range") ?? "") ?? [];
  const start = Number(from ?? 0);
  const end = Number(to ?? size - 1);
  const range = from === undefined ? {} : { "content-range": `bytes ${start}-${end}/${size}` };
  const head = {
    "content-length": String(end - start + 1),
    "accept-ranges": "bytes",
    etag: '"one"',
    ...range,
  };
  response.writeHead(from === undefined ? 200 : 206, head);
  if (method === "HEAD") response.end();
  else createReadStream(file, { start, end }).pipe(response);
}

const curl = (args: readonly string[], stdin = ""): Promise<ProgramRun> =>
  runProgram(
    requiredTool("curl"),
    ["--silent", "--show-error", "--noproxy", "*", "--header", `authorization: Bearer ${bench.key}`, ...args],
    { stdin },
  );
const status = (...args: string[]) =>
  curl(["--output", "/dev/null", "--write-out", "%{http_code}", ...args]).then(({ stdout }) => stdout);

describe("curl on a published API", () => {
  test("[G11] uploads: from a file, from a pipe of unknown length, as a form", async () => {
    const sent = await curl(["--data-binary", `@${file}`, `${bench.url}/up`]);
    expect([sent.stdout, received.equals(BYTES)]).toEqual([String(BYTES.length), true]);
    const put = await curl(["--upload-file", file, `${bench.url}/up`]);
    expect([put.stdout, received.equals(BYTES)]).toEqual([String(BYTES.length), true]);
    const piped = await curl(["--upload-file", "-", `${bench.url}/up`], "from a pipe");
    expect([piped.stdout, received.toString()]).toEqual(["11", "from a pipe"]);
    expect(bench.api.arrivals.at(-1)?.header("transfer-encoding")).toBe("chunked");
    await curl(["--form", `file=@${file}`, "--form", "a=b", `${bench.url}/up`]);
    expect(received.includes(BYTES)).toBe(true);
    expect(bench.api.arrivals.at(-1)?.header("content-type")).toMatch(/^multipart\/form-data; boundary=/);
  });

  test("[A8] over the limit: 413, declared and not", async () => {
    const large = path.join(directory, "large");
    writeFileSync(large, Buffer.alloc(LIMIT + 1));
    expect(await status("--upload-file", large, `${bench.url}/up`)).toBe("413");
    const chunked = ["--header", "transfer-encoding: chunked", "--upload-file", large];
    expect(await status(...chunked, `${bench.url}/up`)).toBe("413");
    writeFileSync(large, Buffer.alloc(LIMIT));
    expect(await status(...chunked, `${bench.url}/up`)).toBe("201");
  });

  test("[G11] downloads: whole, in a range, over HTTP/1.0, unchanged, and the head alone", async () => {
    const copy = path.join(directory, "copy");
    await curl(["--output", copy, `${bench.url}/file`]);
    expect(readFileSync(copy).equals(BYTES)).toBe(true);
    await curl(["--output", copy, "--range", "100-199", `${bench.url}/file`]);
    expect(readFileSync(copy).equals(BYTES.subarray(100, 200))).toBe(true);
    await curl(["--output", copy, "--compressed", "--http1.0", `${bench.url}/file`]);
    expect(readFileSync(copy).equals(BYTES)).toBe(true);
    expect(await status("--header", 'if-none-match: "one"', `${bench.url}/file`)).toBe("304");
    const { stdout } = await curl(["--head", `${bench.url}/file`]);
    expect(stdout).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(stdout.toLowerCase()).toContain(`content-length: ${BYTES.length}\r\n`);
    expect(stdout.toLowerCase()).toContain("content-security-policy: sandbox; default-src 'none'\r\n");
  });

  test("[G11] paths as they are typed: climbing is refused, the rest goes on", async () => {
    expect(await status("--path-as-is", `${bench.url}/../../api/v1/keys`)).toBe("400");
    expect(await status("--path-as-is", `${bench.url}/a/%2e%2e/b`)).toBe("400");
    expect(await status("--globoff", `${bench.url}/a%20b/[1]?x={y}`)).toBe("200");
    expect(bench.api.arrivals.at(-1)?.target).toBe("/base/a%20b/[1]?x={y}");
    expect(await status("--request", "OPTIONS", `${bench.url}/a`)).toBe("405");
  });
});
