import { createServer } from "node:http";
import { expect, test } from "vitest";
import { startClaviger } from "#test/claviger.ts";

const USAGE = { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100 };
const data = (value: object | string) =>
  `data: ${typeof value === "string" ? value : JSON.stringify(value)}\n\n`;
const chunk = (more: object) => ({ id: "1", object: "chat.completion.chunk", ...more });
const WORDS = [
  { choices: [{ index: 0, delta: { content: "Hello" }, finish_reason: null }] },
  { choices: [{ index: 0, delta: {}, finish_reason: "stop" }] },
];
const PLAIN = [...WORDS.map((word) => data(chunk(word))), data("[DONE]")].join("");
const TOLD = [
  ...WORDS.map((word) => data(chunk({ ...word, usage: null }))),
  data(chunk({ choices: [], usage: USAGE })),
  data("[DONE]"),
].join("");

/** An upstream that tells the usage of a stream when it is asked, as OpenAI does. */
async function startTellingUpstream() {
  const bodies: string[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const piece of request) chunks.push(Buffer.from(piece));
    const body = Buffer.concat(chunks).toString();
    if (request.url === "/v1/models") return response.end('{"object":"list","data":[{"id":"gpt-4o-mini"}]}');
    bodies.push(body);
    const stream = body.includes('"stream":true');
    response.writeHead(200, { "content-type": stream ? "text/event-stream" : "application/json" });
    if (stream) return response.end(body.includes('"include_usage":true') ? TOLD : PLAIN);
    return response.end(JSON.stringify({ id: "1", choices: [], usage: USAGE }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    bodies,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test("[G9] [G4] [H4] [H8] a stream is asked for its usage, the client does not see it, and rows and sums have it", async () => {
  await using upstream = await startTellingUpstream();
  await using claviger = await startClaviger();
  await claviger.addProvider("sim", upstream.baseUrl, "upstream-credential-0001");
  const { id, key } = await claviger.issueKey("app");
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const path = "/v1/chat/completions";
  const send = (body: string) => claviger.call({ method: "POST", path, headers, body });
  const model = '"model":"sim/gpt-4o-mini"';
  expect((await send(`{${model},"stream":true,"n": 1.0}`)).text).toBe(PLAIN);
  expect(upstream.bodies.at(-1)).toBe(
    '{"stream_options":{"include_usage":true},"model":"gpt-4o-mini","stream":true,"n": 1.0}',
  );
  expect((await send(`{${model},"stream":true,"stream_options":{"include_usage":true}}`)).text).toBe(TOLD);
  expect((await send(`{${model},"stream":true,"stream_options":{}}`)).text).toBe(PLAIN);
  expect((await send(`{${model}}`)).status).toBe(200);
  const requests = await claviger.control({ path: "/api/v1/requests" });
  const exact = { input_tokens: 1000, output_tokens: 100, cost_usd: 0.00021 };
  expect(requests.json).toMatchObject({
    data: [exact, { input_tokens: 15, output_tokens: 2 }, exact, exact],
  });
  const usage = await claviger.control({ path: "/api/v1/usage?by=key" });
  expect(usage.json).toMatchObject({
    data: [
      {
        key: id,
        requests: 4,
        input_tokens: 3015,
        output_tokens: 302,
        estimated_requests: 1,
        unpriced_requests: 0,
      },
    ],
    next_cursor: null,
  });
});
