import { expect, test } from "vitest";
import { createEgressClient } from "#platform/egress/egress-client.ts";
import { Secret } from "#platform/lib/secret.ts";
import { EventRelay } from "#services/gateway/event-relay.ts";
import { clientHeaders, upstreamHeaders } from "#services/gateway/headers.ts";
import { factsOf } from "#services/gateway/providers/kind.ts";
import { createRedactor } from "#services/gateway/redact.ts";
import { chatEnding } from "#services/gateway/stream-ending.ts";
import { seededRandom } from "./seeded-random.ts";
import { startUpstream, UPSTREAM_MODEL } from "./upstream.ts";

const LIMIT = 1024 * 1024;
const credential = `up-${seededRandom(21).bytes(16).toString("hex")}`;
const ask = (url: string, body: object) => ({
  url: new URL(url),
  method: "POST",
  headers: upstreamHeaders(["content-type", "application/json"], new Secret(credential), factsOf("openai")),
  body: Buffer.from(JSON.stringify(body)),
});

function relayed(body: Buffer) {
  const relay = new EventRelay(chatEnding);
  const out = relay.push(body) ?? Buffer.alloc(0);
  return { out, firstEvent: relay.firstEvent, ...relay.end() };
}

test("[G1] chat, embeddings and models answer in OpenAI's shapes", async () => {
  await using upstream = await startUpstream();
  await using client = createEgressClient();
  const chat = await client.collect(ask(`${upstream.baseUrl}/chat/completions`, { stream: false }), LIMIT);
  expect(JSON.parse(chat.body.toString())).toMatchObject({ choices: [{ message: { content: "Hello." } }] });
  const embeddings = await client.collect(ask(`${upstream.baseUrl}/embeddings`, {}), LIMIT);
  expect(JSON.parse(embeddings.body.toString())).toMatchObject({ data: [{ embedding: [0.5, -0.5] }] });
  const list = { url: new URL(`${upstream.baseUrl}/models`), method: "GET", headers: [] };
  const models = await client.collect(list, LIMIT);
  expect(JSON.parse(models.body.toString())).toMatchObject({ data: [{ id: UPSTREAM_MODEL }] });
  expect(upstream.requests[0]?.rawHeaders).toContain(`Bearer ${credential}`);
});

test("[G6] a whole stream finishes, one cut anywhere does not, an error-first one is seen", async () => {
  await using upstream = await startUpstream();
  await using client = createEgressClient();
  const streamed = ask(`${upstream.baseUrl}/chat/completions`, { stream: true });
  const whole = await client.collect(streamed, LIMIT);
  expect(relayed(whole.body)).toMatchObject({
    out: whole.body,
    finished: true,
    firstEvent: { isError: false },
  });
  expect(relayed(whole.body.subarray(0, 200)).finished).toBe(false);
  upstream.behave({ kind: "error-first" });
  const failing = await client.collect(streamed, LIMIT);
  expect(failing.status).toBe(200);
  expect(relayed(failing.body).firstEvent?.isError).toBe(true);
});

test("[G3] a credential the upstream repeats is gone from headers and error body", async () => {
  await using upstream = await startUpstream();
  await using client = createEgressClient();
  upstream.behave({ kind: "echo-credential" });
  const answer = await client.collect(ask(`${upstream.baseUrl}/chat/completions`, {}), LIMIT);
  expect(`${answer.headers} ${answer.body}`.split(credential)).toHaveLength(3);
  const redactor = createRedactor([Buffer.from(credential)]);
  const shown = `${clientHeaders(answer.headers, redactor)} ${redactor.bytes(answer.body)}`;
  expect(shown).not.toContain(credential);
  expect(shown.split("Bearer [redacted]")).toHaveLength(3);
});

test("upstream errors come through with their status, also those that claim success", async () => {
  await using upstream = await startUpstream();
  await using client = createEgressClient();
  for (const status of [200, 401, 429, 500] as const) {
    upstream.behave({ kind: "error", status });
    const answer = await client.collect(ask(`${upstream.baseUrl}/chat/completions`, {}), LIMIT);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body.toString())).toHaveProperty("error.message");
  }
});
