import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { startClaviger } from "#test/claviger.ts";
import { startUpstream } from "#test/upstream.ts";

const MESSAGES = [{ role: "user", content: "hello" }];

test("[E2] [E5] a provider that is this server itself is denied on call and in the model list, and audited", async () => {
  await using claviger = await startClaviger();
  await claviger.addProvider("self", `${claviger.url}/v1`);
  await claviger.addProvider("cloud", "http://169.254.169.254/v1");
  const { key } = await claviger.issueKey("app");
  const headers = { authorization: `Bearer ${key}` };
  for (const name of ["self", "cloud"]) {
    const body = { model: `${name}/any`, messages: MESSAGES };
    const answer = await claviger.call({ method: "POST", path: "/v1/chat/completions", headers, body });
    expect([name, answer.status, answer.text]).toEqual([name, 502, expect.stringContaining("egress_denied")]);
    const tested = await claviger.control({ method: "POST", path: `/api/v1/providers/${name}/test` });
    expect(tested.json).toMatchObject({ ok: false });
  }
  await claviger.app.close();
  using database = new DatabaseSync(join(claviger.dataDir, "db/data.sqlite"), { readOnly: true });
  const rows = database
    .prepare("SELECT target, outcome, count FROM audit WHERE action = 'egress.connect'")
    .all();
  expect(rows.map(({ target, outcome }) => [target, outcome])).toEqual([
    [claviger.url, "denied"],
    ["http://169.254.169.254", "denied"],
  ]);
  expect(rows.every(({ count }) => Number(count) >= 2)).toBe(true);
});

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
