import OpenAI from "openai";
import { expect, test } from "vitest";
import { startClaviger } from "#test/claviger.ts";
import { startUpstream, UPSTREAM_MODEL } from "#test/upstream.ts";

test("[G1] the official OpenAI client streams and does not stream, with nothing changed but its base URL and key", async () => {
  await using upstream = await startUpstream();
  await using claviger = await startClaviger();
  await claviger.addProvider("sim", upstream.baseUrl, "upstream-credential-0001");
  const { key } = await claviger.issueKey("app");
  const client = new OpenAI({ baseURL: `${claviger.url}/v1`, apiKey: key, maxRetries: 0 });
  const request = {
    model: `sim/${UPSTREAM_MODEL}`,
    messages: [{ role: "user" as const, content: "hello" }],
  };
  const whole = await client.chat.completions.create(request);
  const stream = await client.chat.completions.create({ ...request, stream: true });
  let text = "";
  for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
  expect(text).not.toBe("");
  expect(text).toBe(whole.choices[0]?.message.content);
});
