import { expect, test } from "vitest";
import { type Bench, chat, startBench } from "./bench.ts";

const ask = (bench: Bench, headers: Record<string, string>, body: object = chat()) =>
  bench.claviger.call({ method: "POST", path: "/v1/chat/completions", headers, body });
const bearer = (bench: Bench) => ({ authorization: `Bearer ${bench.key}` });

/** Everything the text could be written as, and what of each stays the same whatever stands around it. */
function spellings(secret: string): { written: string; stable: string }[] {
  const json = JSON.stringify(secret).slice(1, -1);
  const hex = Buffer.from(secret).toString("hex");
  const plain = [secret, json, encodeURIComponent(secret), hex].map((text) => ({
    written: text,
    stable: text,
  }));
  const coded = ["a", "ab", "abc"].flatMap((around) =>
    (["base64", "base64url"] as const).map((coding) => {
      const written = Buffer.from(around + secret + around).toString(coding);
      return { written, stable: written.slice(8, -8) };
    }),
  );
  return [...plain, ...coded];
}

test("[G3] neither the client's credential nor its cookies reach the upstream, in whichever header it came", async () => {
  await using bench = await startBench();
  const forms = [
    { authorization: `bearer ${bench.key}` },
    { "x-api-key": bench.key },
    { "api-key": bench.key },
  ];
  for (const form of forms) {
    const headers = {
      ...form,
      cookie: "claviger_session=abc",
      "openai-beta": `x ${bench.key}`,
      "user-agent": "me",
    };
    expect((await ask(bench, headers)).status).toBe(200);
  }
  for (const { rawHeaders } of bench.upstream.requests) {
    const text = rawHeaders.join("\n");
    expect(text).not.toContain(bench.key);
    expect(text.toLowerCase()).not.toContain("cookie");
    expect(text).toContain(`Bearer ${bench.credential}`);
  }
});

test("[G3] a refusal of our credential is 502 without a retry, and repeats nothing of it", async () => {
  await using bench = await startBench();
  bench.upstream.behave({ kind: "echo-credential" });
  const answer = await ask(bench, bearer(bench));
  expect(answer.status).toBe(502);
  expect(answer.headers["x-should-retry"]).toBe("false");
  expect(answer.json).toMatchObject({ error: { code: "upstream_credential_rejected" } });
  expect(JSON.stringify(answer)).not.toContain(bench.credential.slice(4));
});

test("[G3] a credential in an error answer or a header is replaced, however it is written", async () => {
  await using bench = await startBench();
  for (const { written, stable } of spellings(bench.credential)) {
    const message = JSON.stringify({ error: { message: "bad key" } }).replace("bad key", `bad <${written}>`);
    // Invalid JSON in one spelling, so that it is put into the dialect; both ways must be clean.
    for (const headers of [{ "content-type": "application/json" }, { "x-echo": written }]) {
      bench.upstream.behave({
        kind: "raw",
        status: 500,
        headers,
        chunks: [message.slice(0, 40), message.slice(40)],
      });
      const answer = await ask(bench, bearer(bench));
      expect(answer.status).toBe(500);
      const told = `${answer.text} ${Object.values(answer.headers).join(" ")}`;
      expect(told).not.toContain(stable);
      expect(told).toContain("[redacted]");
    }
  }
});

test("[G3] an error-first stream and a 200 that is an error repeat no credential either", async () => {
  await using bench = await startBench();
  const error = JSON.stringify({ error: { message: `no ${bench.credential}` } });
  for (const chunk of [`data: ${error}\n\n`, error]) {
    bench.upstream.behave({ kind: "raw", chunks: [chunk] });
    const answer = await ask(bench, bearer(bench), chat({ stream: true }));
    expect(answer.status).toBe(502);
    expect(answer.text).not.toContain(bench.credential.slice(4));
  }
});

test("[G3] a credential split over two chunks of an answer that succeeds does not pass", async () => {
  await using bench = await startBench();
  const padding = "x".repeat(70_000);
  const text = JSON.stringify({ choices: [], padding, echo: bench.credential, more: padding });
  const at = text.indexOf("echo") + 20;
  bench.upstream.behave({
    kind: "slow",
    type: "application/json",
    chunks: [text.slice(0, at), text.slice(at)],
    until: bench.upstream.arrived(0).then(() => undefined),
  });
  const answer = await ask(bench, bearer(bench));
  expect(answer.text).toContain("[redacted]");
  expect(answer.text).not.toContain(bench.credential.slice(4));
  expect(answer.text.replace("[redacted]", JSON.stringify(bench.credential).slice(1, -1))).toBe(text);
});

test("[G3] nothing of a credential is in the log", async () => {
  await using bench = await startBench({ env: { LOG_LEVEL: "trace", ENABLE_REQUEST_LOGS: "true" } });
  bench.upstream.behave({ kind: "echo-credential" });
  await ask(bench, bearer(bench));
  const log = bench.claviger.logged();
  for (const secret of [bench.key, bench.credential])
    for (const { stable } of spellings(secret)) expect(log).not.toContain(stable);
});
