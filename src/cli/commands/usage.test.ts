import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { controlSocketPath } from "#platform/config/socket-path.ts";

const MAIN = fileURLToPath(new URL("../../main.ts", import.meta.url));
const sums = { requests: 1, input_tokens: 2, output_tokens: 3, estimated_requests: 0 };
const FIRST = { day: "2026-11-20", ...sums, cost_usd: 1.5, unpriced_requests: 0 };
const SECOND = { day: "2026-11-21", ...sums, cost_usd: null, unpriced_requests: 1 };
let dataDir: string;
let asked: string[];
let server: ReturnType<typeof createServer>;

/** A server on the control socket that has two pages, and refuses what it does not know. */
beforeEach(async () => {
  dataDir = mkdtempSync(path.join(tmpdir(), "claviger-cli-"));
  asked = [];
  server = createServer((request, response) => {
    const url = new URL(request.url ?? "", "http://localhost");
    asked.push(`${url.pathname}${url.search}`);
    const refused = url.searchParams.get("from") === "never";
    const page = url.searchParams.has("cursor")
      ? { data: [SECOND], next_cursor: null }
      : { data: [FIRST], next_cursor: "next/1" };
    const problem = { code: "bad_request", title: "Bad.", detail: "from must be a date" };
    response.writeHead(refused ? 400 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify(refused ? problem : page));
  });
  const socket = controlSocketPath(dataDir);
  mkdirSync(path.dirname(socket), { recursive: true });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
});
afterEach(async () => {
  await new Promise((resolve) => server.close(resolve));
  rmSync(dataDir, { recursive: true, force: true });
});

test("[G9] the command asks for what it was told, follows the pages, and prints a table with a remark", async () => {
  const { code, stdout, stderr } = await usage("--by", "day", "--from", "2026-11-20", "--to", "2026-11-22");
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: [
      "DAY         REQUESTS  INPUT TOKENS  OUTPUT TOKENS  COST USD",
      "2026-11-20  1         2             3              1.50",
      "2026-11-21  1         2             3              -",
      "",
    ].join("\n"),
  });
  expect(stderr).toContain("1 requests have no known price");
  expect(asked).toEqual([
    "/api/v1/usage?by=day&limit=1000&from=2026-11-20&to=2026-11-22",
    "/api/v1/usage?by=day&limit=1000&from=2026-11-20&to=2026-11-22&cursor=next%2F1",
  ]);
});

test("[G9] --csv prints CSV, --json the rows as they came, and both at once are a wrong use", async () => {
  const csv = await usage("--csv");
  expect(csv.stdout).toBe(
    "day,requests,input_tokens,output_tokens,cost_usd,estimated_requests,unpriced_requests\r\n" +
      "2026-11-20,1,2,3,1.5,0,0\r\n2026-11-21,1,2,3,,0,1\r\n",
  );
  expect(JSON.parse((await usage("--json")).stdout)).toEqual([FIRST, SECOND]);
  expect((await usage("--json", "--csv")).code).toBe(64);
  expect((await usage("--by", "colour")).code).toBe(64);
});

test("[G9] what the server refuses is said, with its exit status", async () => {
  const { code, stdout, stderr } = await usage("--from", "never");
  expect(code).not.toBe(0);
  expect(stdout).toBe("");
  expect(stderr).toBe("claviger: from must be a date\n");
});

function usage(...flags: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [MAIN, "usage", "--data-dir", dataDir, ...flags],
      { env: {} },
      (_error, stdout, stderr) => resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}
