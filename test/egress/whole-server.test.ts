import { expect, test } from "vitest";
import { startClaviger } from "#test/claviger.ts";
import { startUpstream } from "#test/upstream.ts";

const MESSAGES = [{ role: "user", content: "hello" }];

test("[E3] a provider on loopback is served", async () => {
  await using upstream = await startUpstream();
  await using claviger = await startClaviger();
  await claviger.addProvider("sim", upstream.baseUrl);
  const { key } = await claviger.issueKey("app");
  const headers = { authorization: `Bearer ${key}` };
  const body = { model: "sim/sim-1", messages: MESSAGES };
  const answer = await claviger.call({ method: "POST", path: "/v1/chat/completions", headers, body });
  expect(answer.status).toBe(200);
});

test("[E2] a client whose upstream redirects is answered 502 without the target, which is not visited", async () => {
  await using upstream = await startUpstream({ listsApart: true });
  await using sink = await startUpstream();
  await using claviger = await startClaviger();
  await claviger.addProvider("sim", upstream.baseUrl, "upstream-credential-0002");
  const { key } = await claviger.issueKey("app");
  upstream.behave({ kind: "redirect", location: `${sink.baseUrl}/chat/completions` });
  const headers = { authorization: `Bearer ${key}` };
  const body = { model: "sim/sim-1", messages: MESSAGES };
  const answer = await claviger.call({ method: "POST", path: "/v1/chat/completions", headers, body });
  expect([answer.status, answer.headers.location]).toEqual([502, undefined]);
  expect(answer.text).not.toContain(sink.baseUrl);
  expect([upstream.requests.length, sink.connections]).toEqual([1, 0]);
});
