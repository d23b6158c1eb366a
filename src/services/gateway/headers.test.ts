import { expect, test } from "vitest";
import { Secret } from "#platform/lib/secret.ts";
import { seededRandom } from "#test/seeded-random.ts";
import { clientHeaders, upstreamHeaders } from "./headers.ts";
import { factsOf } from "./providers/kind.ts";
import { createRedactor } from "./redact.ts";

const random = seededRandom(5);
const ours = `up-${random.bytes(12).toString("hex")}`;
const theirs = `sk-${random.bytes(12).toString("hex")}`;
const redactor = createRedactor([Buffer.from(ours)]);
const flat = (headers: Record<string, string>) => Object.entries(headers).flat();

test("[G3] only allowed headers and our credential go to the upstream", () => {
  const client = flat({
    Host: "gateway",
    Authorization: `Bearer ${theirs}`,
    "x-api-key": theirs,
    Cookie: "session=1",
    "User-Agent": "a",
    "X-Stainless-OS": "Linux",
    "OpenAI-Organization": "org",
    "Content-Type": "application/json",
    Accept: "text/event-stream",
    "Accept-Encoding": "gzip",
    "OpenAI-Beta": "assistants=v2",
    "X-Forwarded-For": "192.0.2.1",
  });
  expect(upstreamHeaders(client, new Secret(ours), factsOf("openai"))).toEqual(
    flat({
      authorization: `Bearer ${ours}`,
      "accept-encoding": "identity",
      "content-type": "application/json",
      accept: "text/event-stream",
      "openai-beta": "assistants=v2",
    }),
  );
});

test("[G3] an Anthropic upstream gets our credential as x-api-key, a version, and every beta", () => {
  const facts = factsOf("anthropic");
  expect(upstreamHeaders(flat({ "x-api-key": theirs, "openai-beta": "a" }), new Secret(ours), facts)).toEqual(
    flat({ "x-api-key": ours, "accept-encoding": "identity", "anthropic-version": "2023-06-01" }),
  );
  const own = { "anthropic-version": "2024-01-01", "anthropic-workspace-id": "theirs", "x-app": "cli" };
  const betas = ["anthropic-beta", "a", "Anthropic-Beta", "b"];
  expect(upstreamHeaders([...flat(own), ...betas], undefined, facts)).toEqual([
    ...flat({ "accept-encoding": "identity", "anthropic-version": "2024-01-01" }),
    ...flat({ "anthropic-beta": "a" }),
    ...flat({ "anthropic-beta": "b" }),
  ]);
});

test("[G3] the client's credential is left out of allowed headers, and so is what Connection names", () => {
  const client = ["Authorization", `bearer ${theirs}`, "Idempotency-Key", `x${theirs}`, "Accept", "a"];
  const headers = upstreamHeaders(
    [...client, "Connection", "close, Accept"],
    new Secret(ours),
    factsOf("ollama"),
  );
  expect(headers).toEqual(["authorization", `Bearer ${ours}`, "accept-encoding", "identity"]);
});

test("[G3] [G11] what would act on the client's browser is dropped, our own headers are set, values redacted", () => {
  const dropped = flat({
    "Set-Cookie": "a=b",
    "Clear-Site-Data": "*",
    "Service-Worker-Allowed": "/",
    "Strict-Transport-Security": "max-age=1",
    "Content-Security-Policy": "default-src *",
    "Content-Security-Policy-Report-Only": "default-src *",
    "Access-Control-Allow-Origin": "*",
    "Alt-Svc": "h3",
    "WWW-Authenticate": "Basic",
    Location: "http://elsewhere",
    Server: "s",
    Via: "v",
    "X-Request-Id": "theirs",
    "Request-Id": "theirs",
    "X-Claviger-Locked": "true",
    Connection: "keep-alive, X-Hop",
    "X-Hop": "1",
    "Content-Length": "3",
    "Transfer-Encoding": "chunked",
  });
  const kept = flat({
    "Content-Type": "text/event-stream",
    "x-ratelimit-remaining": "9",
    "anthropic-ratelimit-requests-remaining": "9",
    "x-echo": `k=${ours}`,
  });
  expect(clientHeaders([...dropped, ...kept], redactor)).toEqual(
    flat({
      "content-type": "text/event-stream",
      "x-ratelimit-remaining": "9",
      "anthropic-ratelimit-requests-remaining": "9",
      "x-echo": "k=[redacted]",
      "content-security-policy": "sandbox; default-src 'none'",
      "x-content-type-options": "nosniff",
    }),
  );
});
