import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openRaw } from "#test/gates/raw.ts";
import { seededRandom } from "#test/seeded-random.ts";
import { type Row, requestRows, rowsWhen, until } from "./bench.ts";
import {
  type ApiBench,
  answerOk,
  ask,
  type Handler,
  open,
  publish,
  startApiBench,
  whole,
} from "./http-api-bench.ts";

const A_SECOND_MS = 1000;
/** A head and some bytes, and then nothing more. */
const stalled: Handler = (response, { message }) => {
  message.resume();
  response.writeHead(200, { "content-type": "application/octet-stream" });
  response.write("some");
};
/** Nothing at all. The body is read, or a closed connection would not be seen. */
const silent: Handler = (_response, { message }) => void message.resume();

let bench: ApiBench;
beforeAll(async () => {
  bench = await startApiBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

/** The newest row once `count` more than `before` are there. */
async function newestRow(from: ApiBench, before: number): Promise<Row | undefined> {
  return (await rowsWhen(from.claviger, before + 1))[0];
}

/** An upload that goes on for ever, as far as it is taken. */
function upload(from: ApiBench) {
  const asked = open(from, "/x/things/up", { method: "PUT", headers: { "transfer-encoding": "chunked" } });
  asked.outgoing.on("error", () => undefined);
  asked.outgoing.write(Buffer.alloc(64 * 1024));
  return asked;
}

test("[G11] [G7] a client that leaves closes its upstream within a second: while it waits, uploads, or downloads", async () => {
  for (const [handler, begin, status] of [
    [silent, () => open(bench, "/x/things/a"), 499],
    [silent, () => upload(bench), 499],
    [stalled, () => open(bench, "/x/things/a"), 499],
  ] as const) {
    bench.api.handle(handler);
    const before = (await requestRows(bench.claviger)).length;
    const arriving = bench.api.arrived(bench.api.arrivals.length);
    const { outgoing, head } = begin();
    if (!outgoing.getHeader("transfer-encoding")) outgoing.end();
    const arrived = await arriving;
    if (handler === stalled) await once(await head, "data");
    const leftAt = performance.now();
    outgoing.destroy();
    await arrived.closed;
    expect(performance.now() - leftAt).toBeLessThan(A_SECOND_MS);
    expect(await newestRow(bench, before)).toMatchObject({ status, model: "x/things" });
  }
});

test("[G11] [S9] [S4] a lock ends running transfers: 503 before the answer began, a cut after", async () => {
  await using own = await startApiBench();
  own.api.handle(silent);
  const uploading = upload(own);
  const waiting = open(own, "/x/things/a");
  waiting.outgoing.end();
  const first = await own.api.arrived(1);
  own.api.handle(stalled);
  const downloading = open(own, "/x/things/b");
  downloading.outgoing.end();
  const answer = await downloading.head;
  void own.claviger.app.seal.close();
  expect((await whole(answer)).complete).toBe(false);
  for (const { head } of [uploading, waiting]) {
    const { status, headers, body } = await whole(await head);
    expect([status, headers["x-claviger-locked"]]).toEqual([503, "true"]);
    expect(JSON.parse(body.toString())).toMatchObject({ error: { code: "server_locked" } });
  }
  await first.closed;
  uploading.outgoing.destroy();
  const locked = await ask(own, "/x/things/a");
  expect([locked.status, locked.headers["x-should-retry"]]).toEqual([503, "false"]);
  expect(own.api.arrivals).toHaveLength(3);
});

test("[I11] a revoked key is refused on the next request, and its uploads and downloads end within a second", async () => {
  await using own = await startApiBench();
  own.api.handle(silent);
  const uploading = upload(own);
  const first = await own.api.arrived(0);
  own.api.handle(stalled);
  const downloading = open(own, "/x/things/b");
  downloading.outgoing.end();
  const answer = await downloading.head;
  const revokedAt = performance.now();
  await own.claviger.control({ method: "DELETE", path: `/api/v1/keys/${own.id}` });
  expect((await whole(answer)).complete).toBe(false);
  expect((await whole(await uploading.head)).status).toBe(401);
  await first.closed;
  expect(performance.now() - revokedAt).toBeLessThan(A_SECOND_MS);
  uploading.outgoing.destroy();
  expect((await ask(own, "/x/things/a")).status).toBe(401);
  expect(own.api.arrivals).toHaveLength(2);
});

test("[G11] [G12] an upstream that answers too late, pauses too long or is not there, by the provider's own timeouts", async () => {
  const { baseUrl } = bench.api;
  await publish(bench.claviger, "hasty", baseUrl, { options: { headers_timeout_ms: 50 } });
  bench.api.handle(silent);
  expect((await ask(bench, "/x/hasty")).status).toBe(504);
  await publish(bench.claviger, "impatient", baseUrl, { options: { body_idle_timeout_ms: 50 } });
  bench.api.handle(stalled);
  const cut = await ask(bench, "/x/impatient");
  expect([cut.status, cut.complete, cut.body.toString()]).toEqual([200, false, "some"]);
  await publish(bench.claviger, "absent", "http://127.0.0.1:9");
  expect((await ask(bench, "/x/absent", { method: "PUT", body: "b" })).status).toBe(502);
});

test("[G7] [H4] a request is one row: x/NAME, the provider, its status, no tokens; refused ones too", async () => {
  await using own = await startApiBench({ provider: { methods: ["GET"] } });
  own.api.handle(
    (response) => void response.writeHead(200, { "content-type": "text/event-stream" }).end("data: 1\n\n"),
  );
  const streamed = await ask(own, "/x/things/a");
  own.api.handle((response) => void response.writeHead(404).end("no"));
  await ask(own, "/x/things/b");
  own.api.handle((response) => void response.writeHead(401).end("no"));
  await ask(own, "/x/things/c");
  await ask(own, "/x/things/d", { method: "POST" });
  await ask(own, "/x/things/..");
  await ask(own, "/x/nothing");
  await ask({ ...own, key: "no" }, "/x/things/a");
  const rows = await rowsWhen(own.claviger, 6);
  const none = { input_tokens: null, output_tokens: null, cost_usd: null, principal: own.id };
  const things = { ...none, provider: "things", model: "x/things" };
  expect(rows).toMatchObject([
    { ...none, provider: null, model: "unknown", status: 404 },
    { ...things, status: 400 },
    { ...things, status: 405 },
    { ...things, status: 502 },
    { ...things, status: 404, streamed: false },
    { ...things, status: 200, streamed: true, request_id: streamed.headers["x-request-id"] },
  ]);
});

test("[G7] [G11] what a client sends is in no row, no log line and no file: path, query, headers, body, answer", async () => {
  await using own = await startApiBench({
    server: { env: { LOG_LEVEL: "trace", ENABLE_REQUEST_LOGS: "true" } },
  });
  const canary = seededRandom(21).bytes(12).toString("hex");
  const more = {
    method: "POST",
    headers: { "x-canary": canary, cookie: canary, "content-type": `a/${canary}` },
    body: canary,
  };
  own.api.handle((response) => void response.writeHead(500, { "x-canary": canary }).end(canary));
  for (const url of [
    `/x/things/${canary}?${canary}=${canary}`,
    `/x/${canary}/a`,
    `/x/things/../${canary}`,
    `/${canary}`,
  ])
    await ask(own, url, more);
  own.api.handle((response) => void response.destroy());
  await ask(own, `/x/things/${canary}`, more);
  await rowsWhen(own.claviger, 4);
  expect(own.claviger.logged()).toContain('"route":"/x/{name}/*"');
  expect(own.claviger.logged()).not.toContain(canary);
  const files = readdirSync(own.claviger.dataDir, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  expect(files.length).toBeGreaterThan(3);
  for (const { parentPath, name } of files)
    expect(readFileSync(path.join(parentPath, name)).includes(canary), name).toBe(false);
});

test("requests one behind the other on one connection are answered in their order", async () => {
  bench.api.handle((response, { target }) => void response.end(`[${target}]`));
  const line = (name: string, more = "") =>
    `GET /x/things/${name} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${bench.key}\r\n${more}\r\n`;
  await using connection = openRaw(bench.claviger.url);
  connection.socket.write(line("one") + line("two") + line("three", "Connection: close\r\n"));
  const text = await connection.untilClosed();
  expect(text.match(/\[\/base\/\w+\]/g)).toEqual(["[/base/one]", "[/base/two]", "[/base/three]"]);
});

test("[G11] many at once, uploads and downloads mixed, none gets another's bytes", async () => {
  bench.api.handle(async (response, { message, target }) => {
    response.write(target);
    for await (const chunk of message) if (!response.write(chunk)) await once(response, "drain");
    response.end();
  });
  const bodies = Array.from({ length: 60 }, (_, index) => Buffer.alloc(100_000 + index, index));
  const answers = await Promise.all(
    bodies.map((body, index) => ask(bench, `/x/things/${index}`, { method: "POST", body })),
  );
  for (const [index, { body }] of answers.entries())
    expect(
      body.equals(Buffer.concat([Buffer.from(`/base/${index}`), bodies[index] ?? Buffer.alloc(0)])),
    ).toBe(true);
  bench.api.handle(answerOk);
  await until(() => true);
});
