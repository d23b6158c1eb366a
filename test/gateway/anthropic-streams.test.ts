import { expect, test } from "vitest";
import { bench, message, post, shaped } from "./anthropic-bench.ts";

test("[G4] [G6] a stream passes byte for byte, pings and all", async () => {
  await using it = await bench();
  const chunks = [
    'event: ping\ndata: {"type": "ping"}\n\n',
    'event: message_start\r\ndata: {"type":"message_start","message":{}}\r\n\r\n',
    'event: ping\ndata: {"type":"ping"}\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n',
  ];
  it.upstream.behave({ kind: "raw", chunks });
  const answer = await post(it, message({ stream: true }));
  expect(answer.headers["content-type"]).toContain("text/event-stream");
  expect(answer.text).toBe(chunks.join(""));
});

test("[G6] a cut stream ends with `event: error` on a line of its own and never with message_stop", async () => {
  await using it = await bench();
  it.upstream.behave({ kind: "ok" });
  const { length } = (await post(it, message({ stream: true }))).text;
  for (const afterBytes of [length - 2, length - 60, 700]) {
    it.upstream.behave({ kind: "cut", afterBytes });
    const { text, headers } = await post(it, message({ stream: true }));
    const last = text.slice(text.lastIndexOf("\n\nevent:") + 2);
    expect(last).toMatch(/^event: error\ndata: \{"type":"error",.*\}\n\n$/);
    const error = shaped.parse(JSON.parse(last.slice(last.indexOf("{"))));
    expect(error.request_id).toBe(headers["request-id"]);
    expect(text).not.toContain("message_stop");
  }
});

test("[G6] a connection that breaks behind message_stop has cut nothing off", async () => {
  await using it = await bench();
  it.upstream.behave({ kind: "ok" });
  const { text } = await post(it, message({ stream: true }));
  it.upstream.behave({ kind: "cut", afterBytes: text.length });
  expect((await post(it, message({ stream: true }))).text).toBe(text);
});

test("[G6] a stream that ends without message_stop is a cut, whatever it quotes", async () => {
  await using it = await bench();
  const quoted = {
    type: "content_block_delta",
    delta: { type: "message_stop", text: "event: message_stop" },
  };
  const start = 'event: message_start\ndata: {"type":"message_start"}\n\n';
  const chunks = [
    start,
    `event: content_block_delta\ndata: ${JSON.stringify(quoted)}\n\n`,
    "data: [DONE]\n\n",
  ];
  it.upstream.behave({ kind: "raw", chunks });
  const { text } = await post(it, message({ stream: true }));
  expect(text).toContain("event: error\n");
});

test("[G5] [G6] an error before the first event of a message is a status, also behind pings", async () => {
  await using it = await bench();
  const ping = 'event: ping\ndata: {"type":"ping"}\n\n';
  const error = { type: "error", error: { type: "overloaded_error", message: "Overloaded" } };
  for (const chunks of [
    [`event: error\ndata: ${JSON.stringify(error)}\n\n`],
    [ping, ping, `event: error\ndata: ${JSON.stringify(error)}\n\n`],
    [ping],
  ]) {
    it.upstream.behave({ kind: "raw", chunks });
    const answer = await post(it, message({ stream: true }));
    expect(answer.status).toBe(502);
    expect(shaped.parse(answer.json).error.type).toBe("api_error");
    if (chunks.length !== 1 || chunks[0] !== ping) expect(answer.text).toContain("Overloaded");
  }
});

test("[G6] what answers a streamed message is passed as events, or is 502 when it is none", async () => {
  await using it = await bench();
  const headers = { "content-type": "application/json" };
  const events =
    'event: message_start\ndata: {"type":"message_start"}\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n';
  it.upstream.behave({ kind: "raw", headers, chunks: [events] });
  const passed = await post(it, message({ stream: true }));
  expect(passed.headers["content-type"]).toContain("text/event-stream");
  expect(passed.text).toBe(events);
  it.upstream.behave({ kind: "raw", headers, chunks: ['{"type":"message","content":[]}'] });
  const refused = await post(it, message({ stream: true }));
  expect(refused.status).toBe(502);
  expect(shaped.parse(refused.json).error.type).toBe("api_error");
});
