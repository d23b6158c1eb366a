import { readdirSync, readlinkSync } from "node:fs";
import { type ClientRequest, request as httpRequest } from "node:http";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as after } from "node:timers/promises";
import { expect, test } from "vitest";
import * as z from "zod";
import { claviger, scratch, serve } from "#test/start/process.ts";
import { usualBytes } from "./answers.ts";
import { startRawUpstream } from "./raw-upstream.ts";

const CLIENTS = 1000;
const DEADLINE_MS = 20_000;

const rows = z.object({ data: z.array(z.object({ status: z.number() })) });

test("[G6] a thousand clients that leave at once leave no socket, no listener and nothing to send behind", async () => {
  using place = scratch();
  const closedAt: number[] = [];
  await using upstream = await startRawUpstream((socket, { streamed }) => {
    socket.on("close", () => closedAt.push(performance.now()));
    // Every second one leaves within its answer.
    if (upstream.askedAt.length % 2 === 0) socket.write(usualBytes(streamed).subarray(0, 300));
  });
  await using server = await serve(place.path);
  const pid = server.child.pid ?? 0;
  const add = ["provider", "add", "sim", "--kind", "openai-compatible", "--base-url", upstream.baseUrl];
  await run([...add, "--data-dir", place.path], "up-credential\n");
  const made = await run(["api-key", "create", "app", "--json", "--data-dir", place.path]);
  const { key } = z.object({ key: z.string() }).parse(JSON.parse(made));
  await eventually(() => upstream.openSockets === 0);
  const before = socketsOf(pid);

  const clients = Array.from({ length: CLIENTS }, () => ask(server.url, key));
  await eventually(() => upstream.askedAt.length === CLIENTS && socketsOf(pid) >= before + 2 * CLIENTS);
  const leftAt = performance.now();
  for (const client of clients) client.destroy();
  await eventually(() => closedAt.length >= CLIENTS && upstream.openSockets === 0);
  // Also the connections that were opened for requests nobody waited for any more.
  await eventually(() => socketsOf(pid) === before && upstream.openSockets === 0);
  expect(closedAt).toHaveLength(upstream.askedAt.length);
  expect(Math.max(...closedAt) - leftAt).toBeLessThan(1000);

  await eventually(async () => (await statuses(place.path)).length >= CLIENTS);
  expect(new Set(await statuses(place.path))).toEqual(new Set([499]));
  expect((await server.kill("SIGTERM")).status).toBe(0);
  expect(server.written).not.toMatch(/Warning|"level":[56]0/);
}, 90_000);

function ask(url: string, key: string): ClientRequest {
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const options = { method: "POST", headers, agent: false };
  const client = httpRequest(`${url}/v1/chat/completions`, options, (response) => {
    response.on("error", () => {});
    response.resume();
  });
  client.on("error", () => {});
  const messages = [{ role: "user", content: "hello" }];
  client.end(JSON.stringify({ model: "sim/sim-1", stream: true, messages }));
  return client;
}

/** The sockets a process has open, those it listens on included. */
function socketsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).filter((fd) => isSocket(`/proc/${pid}/fd/${fd}`)).length;
}

function isSocket(path: string): boolean {
  try {
    return readlinkSync(path).startsWith("socket:");
  } catch {
    return false;
  }
}

async function statuses(dataDir: string): Promise<number[]> {
  using database = new DatabaseSync(`${dataDir}/db/data.sqlite`, { readOnly: true, timeout: 5000 });
  const data = database.prepare("SELECT status FROM request").all();
  return rows.parse({ data }).data.map(({ status }) => status);
}

async function run(args: readonly string[], input = ""): Promise<string> {
  const { status, stdout, stderr } = await claviger(args, { input });
  expect(status, stderr).toBe(0);
  return stdout;
}

async function eventually(check: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!(await check())) {
    if (performance.now() > deadline) throw new Error("it did not come to that in time");
    await after(5);
  }
}
