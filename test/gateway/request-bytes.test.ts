import { connect } from "node:net";
import { expect, test } from "vitest";
import { UPSTREAM_MODEL } from "#test/upstream.ts";
import { type Bench, chat, MODEL, requestRows, startBench } from "./bench.ts";

const PATH = "/v1/chat/completions";
const ask = (bench: Bench, body: unknown, headers: Record<string, string> = {}) =>
  bench.claviger.call({
    method: "POST",
    path: PATH,
    headers: { authorization: `Bearer ${bench.key}`, ...headers },
    body,
  });

test("[G4] the upstream gets the client's bytes but for the model's name, the client the upstream's", async () => {
  await using bench = await startBench();
  const body = `{ "x" : [1.0e+2, "\\u00e9\\ud800"],\n\t"model":"${MODEL}" , "unknown_field":{"model":"kept"}}`;
  const answer = `{"id": "1",   "choices" :[ ], "model":"${MODEL}"}\n`;
  bench.upstream.behave({ kind: "raw", headers: { "content-type": "application/json" }, chunks: [answer] });
  expect((await ask(bench, body)).text).toBe(answer);
  const sent = bench.upstream.requests[0]?.body.toString();
  expect(sent).toBe(body.replace(`"${MODEL}"`, `"${UPSTREAM_MODEL}"`));
});

test("[G4] a stream passes byte for byte, comments, line ends and all", async () => {
  await using bench = await startBench();
  const chunks = [": hi\r\n\r\n", 'data: {"choices":[]}\r\n', "\r\nid: 3\ndata: {", "}\n\ndata:[DONE]\r\r"];
  bench.upstream.behave({ kind: "raw", chunks });
  expect((await ask(bench, chat({ stream: true }))).text).toBe(chunks.join(""));
});

test("[A8] what is no proper JSON object with one model is a 400 in the dialect, and reaches no upstream", async () => {
  await using bench = await startBench();
  const bodies = [
    "",
    "{",
    "[]",
    "{}",
    `\ufeff${JSON.stringify(chat())}`,
    `{"model":"${MODEL}","a":${"[".repeat(64)}${"]".repeat(64)}}`,
    `{"model":"${MODEL}","a":${"[".repeat(10_000_000)}`,
    `{"model":"${MODEL}","model":"other"}`,
    `{"Model":"other","model":"${MODEL}"}`,
    `{"model":"${MODEL}","\\u006dodel":"other"}`,
    `{"model":"${MODEL} "}`,
    `{"model":"sim/\\ud800"}`,
    `{"model":"sim/a\\u0000"}`,
    `{"model":"${MODEL}","a":"\u0000"}`,
    `{"model":"${"x".repeat(100_000)}"}`,
  ];
  for (const body of bodies) {
    const answer = await ask(bench, body, { "content-type": "application/json" });
    expect(answer.status, body.slice(0, 80)).toBe(400);
    expect(answer.json).toMatchObject({ error: { type: "invalid_request_error", code: "bad_request" } });
  }
  expect(bench.upstream.requests).toHaveLength(0);
  const huge = `{"model":"${MODEL}","n":1e999999999,"m":${"9".repeat(100_000)}}`;
  expect((await ask(bench, huge, { "content-type": "application/json" })).status).toBe(200);
  expect((await requestRows(bench.claviger)).filter(({ status }) => status === 400)).toHaveLength(
    bodies.length,
  );
}, 20_000);

test("[A8] a form out of which two models could be read is a 400", async () => {
  await using bench = await startBench();
  const part = (head: string, content: string) =>
    `--b\r\nContent-Disposition: form-data; ${head}\r\n\r\n${content}\r\n`;
  const model = part('name="model"', MODEL);
  const type = "multipart/form-data; boundary=b";
  const cases: [string, string][] = [
    [type, `${model}${part('name="model"', "other")}--b--\r\n`],
    [type, `${model}${part('name="MODEL"', "other")}--b--\r\n`],
    [type, `${model}${part("name=model", "other")}--b--\r\n`],
    [type, `${model}${part('name="x"; name="model"', "other")}--b--\r\n`],
    [type, `${model}${part("name*=utf-8''model", "other")}--b--\r\n`],
    [type, `${part('name="model"; filename="x"', MODEL)}--b--\r\n`],
    [type, `preamble\r\n${model}--b--\r\n`],
    [type, `${model}--b--\r\n${part('name="model"', "other")}--b--`],
    [type, model],
    [type, `--b--\r\n`],
    [`${type}; boundary=c`, `${model}--b--\r\n`],
    ["multipart/form-data", `${model}--b--\r\n`],
  ];
  const send = (contentType: string, body: string) =>
    bench.claviger.call({
      method: "POST",
      path: "/v1/audio/transcriptions",
      headers: { authorization: `Bearer ${bench.key}`, "content-type": contentType },
      body,
    });
  for (const [contentType, body] of cases) expect((await send(contentType, body)).status, body).toBe(400);
  expect(bench.upstream.requests).toHaveLength(0);
  const empty = part('name="prompt"', "");
  expect((await send(type, `${empty}${model}--b--\r\n`)).status).toBe(200);
  expect(bench.upstream.requests[0]?.body.toString()).toBe(
    `${empty}${part('name="model"', UPSTREAM_MODEL)}--b--\r\n`,
  );
});

test("[A8] other types and coded bodies are 415 and leave a row", async () => {
  await using bench = await startBench();
  expect((await ask(bench, "x", { "content-type": "text/plain" })).status).toBe(415);
  expect((await ask(bench, "x", { "content-type": "multipart/form-data; boundary=b" })).status).toBe(415);
  expect((await ask(bench, chat(), { "content-encoding": "gzip" })).status).toBe(415);
  expect((await requestRows(bench.claviger)).map(({ status }) => status)).toEqual([415, 415, 415]);
});

test("[A8] a gigabyte is refused at once when declared, at the limit when not, and is not kept", async () => {
  const limit = 1024 * 1024;
  await using bench = await startBench({ yaml: `settings:\n  gateway_body_limit_bytes: ${limit}\n` });
  const head = (more: string) =>
    `POST ${PATH} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${bench.key}\r\n` +
    `content-type: application/json\r\n${more}\r\n\r\n`;
  expect((await pour(bench, head("content-length: 1073741824"), 0)).answer).toMatch(/^HTTP\/1\.1 413 /);
  const before = process.memoryUsage().rss;
  const chunk = Buffer.from(`10000\r\n${"x".repeat(65536)}\r\n`);
  const poured = await pour(bench, head("transfer-encoding: chunked"), 16_384, chunk);
  expect(poured.answer).toMatch(/^HTTP\/1\.1 413 /);
  expect(poured.answer.toLowerCase()).toContain("connection: close");
  expect(poured.ended).toBe(true);
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
  expect((await requestRows(bench.claviger)).map(({ status }) => status)).toEqual([413, 413]);
});

/** Writes the head and up to `count` chunks, as they are taken, until the server closes. */
function pour(bench: Bench, head: string, count: number, chunk = Buffer.alloc(0)) {
  return new Promise<{ answer: string; ended: boolean }>((resolve) => {
    const { hostname, port } = new URL(bench.claviger.url);
    const socket = connect(Number(port), hostname);
    let answer = "";
    let left = count;
    const more = () => {
      while (left > 0 && answer === "" && socket.writable) {
        left -= 1;
        if (!socket.write(chunk)) return;
      }
    };
    socket.on("data", (bytes) => {
      answer += bytes.toString();
    });
    socket.on("drain", more);
    socket.on("error", () => undefined);
    socket.on("close", () => resolve({ answer, ended: true }));
    socket.write(head);
    more();
  });
}
