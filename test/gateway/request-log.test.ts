import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import * as z from "zod";
import { timeOfRequestId } from "#platform/lib/id.ts";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { seededRandom } from "#test/seeded-random.ts";
import { type Bench, chat, MODEL, requestRows, startBench } from "./bench.ts";

const canary = `canary-${seededRandom(9).bytes(12).toString("hex")}`;
const post = (bench: Bench, path: string, body: unknown, headers: Record<string, string> = {}) =>
  bench.claviger.call({
    method: "POST",
    path,
    headers: { authorization: `Bearer ${bench.key}`, ...headers },
    body,
  });

test("[G7] [H4] a request is one row of exactly these fields, newest first, page by page", async () => {
  await using bench = await startBench();
  const whole = await post(bench, "/v1/chat/completions", chat());
  const streamed = await post(bench, "/v1/chat/completions", chat({ stream: true }));
  const answer = await bench.claviger.control({ path: "/api/v1/requests?limit=1" });
  const page = z.object({ data: z.array(z.record(z.string(), z.unknown())), next_cursor: z.string() });
  const { data, next_cursor } = page.parse(answer.json);
  expect(data).toEqual([
    {
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      request_id: streamed.headers["x-request-id"],
      principal: bench.id,
      principal_name: "app",
      provider: "sim",
      model: MODEL,
      status: 200,
      latency_ms: expect.any(Number),
      first_byte_ms: expect.any(Number),
      // The simulated upstream tells no usage: of a stream an estimate, and of sim-1 nobody knows the price.
      input_tokens: expect.any(Number),
      output_tokens: expect.any(Number),
      cost_usd: null,
      streamed: true,
    },
  ]);
  const rest = await bench.claviger.control({ path: `/api/v1/requests?cursor=${next_cursor}` });
  expect(rest.json).toMatchObject({
    data: [{ request_id: whole.headers["x-request-id"], streamed: false }],
    next_cursor: null,
  });
});

test("[H4] a request is found by its id: ours, one that the client chose, and ours sent again, before and after it is summed", async () => {
  const dataDir = mkdtempSync(path.join(tmpdir(), "claviger-ids-"));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const found = async ({ control }: TestClaviger, id: string) => {
    const { json } = await control({ path: `/api/v1/requests?request_id=${id}` });
    return z.object({ data: z.array(z.object({ request_id: z.literal(id) })) }).parse(json).data.length;
  };
  const sent: string[] = [];
  {
    await using bench = await startBench({ dataDir });
    const ask = async (headers: Record<string, string> = {}) => {
      const answer = await post(bench, "/v1/chat/completions", chat(), headers);
      sent.push(z.string().parse(answer.headers["x-request-id"]));
    };
    await ask();
    await ask();
    await ask({ "x-request-id": "the-clients" });
    await vi.waitFor(() => expect(Date.now()).toBeGreaterThan(timeOfRequestId(sent[0] ?? "") ?? Infinity));
    await ask({ "x-request-id": sent[0] ?? "" });
    const [ours = "", another = ""] = sent;
    expect(sent.slice(2)).toEqual(["the-clients", ours]);
    expect(await Promise.all(sent.map((id) => found(bench.claviger, id)))).toEqual([2, 1, 1, 2]);
    expect(another).not.toBe(ours);
  }
  // It sums at its end what came in.
  await using claviger = await startClaviger({ dataDir });
  expect(await Promise.all(sent.map((id) => found(claviger, id)))).toEqual([2, 1, 1, 2]);
});

test("[G7] refused requests are rows too, once the caller is known; strangers are none", async () => {
  await using bench = await startBench();
  const statuses = [
    (await post(bench, "/v1/chat/completions", "{")).status,
    (await post(bench, "/v1/chat/completions", chat({ model: "nowhere" }))).status,
    (await post(bench, "/v1/unknown", {})).status,
    (await bench.claviger.call({ path: "/v1/models", headers: { authorization: `Bearer ${bench.key}` } }))
      .status,
  ];
  bench.upstream.behave({ kind: "error", status: 500 });
  statuses.push((await post(bench, "/v1/chat/completions", chat())).status);
  bench.upstream.behave({ kind: "cut", afterBytes: 5 });
  statuses.push((await post(bench, "/v1/chat/completions", chat())).status);
  await bench.claviger.call({ path: "/v1/models", headers: { authorization: "Bearer no" } });
  expect(statuses).toEqual([400, 404, 404, 200, 500, 502]);
  const rows = await requestRows(bench.claviger);
  expect(rows.map(({ status }) => status)).toEqual(statuses.toReversed());
  expect(new Set(rows.map(({ request_id }) => request_id)).size).toBe(rows.length);
});

test("[G7] no column, no log line and no file takes the client's text", async () => {
  await using bench = await startBench({ env: { LOG_LEVEL: "trace", ENABLE_REQUEST_LOGS: "true" } });
  const body = chat({ messages: [{ role: "user", content: canary }], user: canary });
  const headers = { "user-agent": canary, "x-trace": canary, "openai-beta": canary };
  expect((await post(bench, `/v1/chat/completions?x=${canary}`, body, headers)).status).toBe(200);
  await post(bench, "/v1/chat/completions", chat({ model: canary }));
  await post(bench, "/v1/chat/completions", chat({ model: `sim/${canary}` }));
  await post(bench, `/v1/${canary}`, {});
  await post(bench, `/v1/images/${canary}`, chat());
  await bench.claviger.call({
    path: `/v1/models/${canary}`,
    headers: { authorization: `Bearer ${bench.key}` },
  });
  bench.upstream.behave({ kind: "raw", status: 400, chunks: [`{"error":{"message":"${canary}"}}`] });
  await post(bench, "/v1/chat/completions", body);
  bench.upstream.behave({ kind: "raw", chunks: [`data: {"error":{"message":"${canary}"}}\n\n`] });
  await post(bench, "/v1/chat/completions", { ...body, stream: true });
  const rows = await requestRows(bench.claviger);
  expect(rows).toHaveLength(8);
  expect(JSON.stringify(rows)).not.toContain(canary);
  expect(rows.map(({ model }) => model)).toContain("unknown");
  expect(bench.claviger.logged()).not.toContain(canary);
});

test("[G7] ENABLE_REQUEST_LOGS prints the same row and nothing more; without it nothing is printed", async () => {
  const logged = z.object({ msg: z.string() }).loose();
  const printed = async (env: Record<string, string>) => {
    await using bench = await startBench({ env });
    await post(bench, "/v1/chat/completions", chat());
    const [row] = await requestRows(bench.claviger);
    const lines = bench.claviger
      .logged()
      .trim()
      .split("\n")
      .map((line) => logged.parse(JSON.parse(line)))
      .filter(({ msg }) => msg === "gateway request");
    return { row, lines };
  };
  const { row, lines } = await printed({ ENABLE_REQUEST_LOGS: "true" });
  expect(lines).toEqual([{ level: 30, msg: "gateway request", ...row }]);
  expect((await printed({})).lines).toEqual([]);
});
