import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { startAnswer } from "#services/cluster/join/messages.ts";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { makeCertificate } from "#test/cli/tls-front.ts";
import { firstMessage, lastMessage } from "#test/cluster/hand-joiner.ts";
import {
  joinBy,
  newPin,
  nodeKeyOf,
  openToMembers,
  sendStep,
  startMember,
  tokenOf,
} from "#test/cluster/member.ts";
import { type Rewrite, startRelay } from "#test/cluster/relay.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { addListeners, listenerSpec } from "#test/listeners/bench.ts";

vi.setConfig({ testTimeout: 60_000 });

const pin = newPin();
const closing = new AsyncDisposableStack();
let member: Awaited<ReturnType<typeof startMember>>;
let joiner: TestClaviger;
beforeAll(async () => {
  member = await startMember(pin, { workers: 2 });
  closing.use(member.claviger);
  joiner = closing.use(await startClaviger());
});
afterAll(() => closing.disposeAsync());
const reopen = async () => {
  const { status } = await member.claviger.control({ method: "POST", path: "/api/v1/cluster/open" });
  expect(status).toBe(200);
};
beforeEach(reopen);

const credentials = (claviger: TestClaviger) => join(claviger.dataDir, "etc", "credentials");
const written = (claviger: TestClaviger) =>
  existsSync(credentials(claviger)) ? readdirSync(credentials(claviger)) : [];
/** Who has the member's TLS key, from its disk. */
const stolen = () => {
  const file = (name: string) => readFileSync(join(member.claviger.dataDir, "etc", "certs", name), "utf8");
  return { certificate: file("claviger.crt"), key: file("claviger.key") };
};
const readAnswered = (json: unknown) => startAnswer.parse(json);
function expectNothingIn(seen: readonly string[]): void {
  const text = seen.join("\n");
  expect(text).toContain("run_id");
  const file = readFileSync(join(credentials(member.claviger), "cluster.json"), "utf8");
  const { salt, pepper, opaque } = JSON.parse(file);
  for (const secret of [
    salt,
    pepper,
    opaque.server_setup,
    opaque.record,
    tokenOf(member.claviger).trim(),
    pin,
  ])
    expect(text.includes(secret)).toBe(false);
}

test("[C3] a server that joins with the PIN comes to the same member token; a wrong PIN is told at once, and the next try need not wait", async () => {
  await using claviger = await startClaviger({ workers: 2 });
  for (let time = 0; time < 2; time += 1) {
    const { status, json } = await joinBy(claviger, member.url, newPin());
    expect([status, json]).toMatchObject([403, { code: "wrong_pin" }]);
    expect(written(claviger)).toEqual([]);
  }
  const { status, json, text } = await joinBy(claviger, member.url, pin);
  expect(status, text).toBe(201);
  expect(json).toMatchObject({ status: "member", epoch: 1, joining_open_until: null });
  expect(tokenOf(claviger)).toBe(tokenOf(member.claviger));
  expect(nodeKeyOf(claviger)).not.toBe(nodeKeyOf(member.claviger));
  const { text: audited } = await member.claviger.control({ path: "/api/v1/audit?limit=100" });
  const id = /"node_id":"(node_\w+)"/.exec((await claviger.control({ path: "/api/v1/info" })).text)?.[1];
  const admitted = `"actor":"anonymous","action":"cluster.admit","target":"${id}","outcome":"success"`;
  expect(audited).toContain(admitted);
  const again = await joinBy(claviger, member.url, pin);
  expect([again.status, again.json]).toMatchObject([201, { status: "member" }]);
});

test("[C3] a relay that ends TLS with another certificate is seen: nobody joins through it, and it learns nothing", async () => {
  await using relay = await startRelay(member.url);
  const { status, json } = await joinBy(joiner, relay.url, pin);
  expect([status, json]).toMatchObject([400, { code: "tls_intercepted" }]);
  const pretending: Rewrite = ({ path, to, body }) =>
    to === "member" && path.endsWith("/start")
      ? JSON.stringify({ ...JSON.parse(body), tls_key: member.tlsKey })
      : body;
  await using liar = await startRelay(member.url, { rewrite: pretending });
  const denied = await joinBy(joiner, liar.url, pin);
  expect([denied.status, denied.json]).toMatchObject([403, { code: "wrong_pin" }]);
  expect(written(joiner)).toEqual([]);
  expectNothingIn([...relay.seen, ...liar.seen]);
});

test("[C3] who even has the member's TLS key sees only what is sealed, and changes no byte of it unseen", async () => {
  const flipped =
    (step: string, field: string): Rewrite =>
    ({ path, to, body }) => {
      if (to === "member" || !path.endsWith(step)) return body;
      const said = JSON.parse(body);
      const text: string = said[field] ?? "";
      const other = text[12] === "A" ? "B" : "A";
      return JSON.stringify({ ...said, [field]: `${text.slice(0, 12)}${other}${text.slice(13)}` });
    };
  const changes = ["start response", "start cluster_id", "start run_id", "finish confirm", "finish grant"];
  for (const change of changes) {
    const [step = "", field = ""] = change.split(" ");
    await using relay = await startRelay(member.url, { rewrite: flipped(step, field), own: stolen() });
    const { status } = await joinBy(joiner, relay.url, pin);
    // Another point of the curve is a wrong PIN; what is none cannot be read.
    expect(step === "finish" ? [502] : [403, 502], change).toContain(status);
    await reopen();
    expect(written(joiner)).toEqual([]);
  }
  const turncoat: Rewrite = ({ path, to, body }) => {
    if (to === "joiner" && path.endsWith("/start")) relay.become(own);
    return body;
  };
  const own = await makeCertificate();
  await using relay = await startRelay(member.url, { rewrite: turncoat, own: stolen() });
  const seenThrough = await joinBy(joiner, relay.url, pin);
  expect(seenThrough.json).toMatchObject({ code: "tls_intercepted" });
  await reopen();
  await using passive = await startRelay(member.url, { own: stolen() });
  await using other = await startClaviger();
  const joined = await joinBy(other, passive.url, pin);
  expect([joined.status, tokenOf(other)]).toEqual([201, tokenOf(member.claviger)]);
  expectNothingIn(passive.seen);
});

test("[C3] a recorded join does not play again, and another version is refused in clear words", async () => {
  const first = await firstMessage(pin, member.tlsKey);
  const started = await sendStep(member.url, "start", first.body);
  const last = await lastMessage(pin, first, readAnswered(started.json));
  expect((await sendStep(member.url, "finish", last?.body)).status).toBe(200);
  expect((await sendStep(member.url, "finish", last?.body)).json).toMatchObject({ code: "wrong_pin" });
  const again = await sendStep(member.url, "start", first.body);
  const { run_id } = readAnswered(again.json);
  expect((await sendStep(member.url, "finish", { ...last?.body, run_id })).json).toMatchObject({
    code: "wrong_pin",
  });
  const newer = await sendStep(member.url, "start", { version: 2, something: "else" });
  expect(newer.json).toMatchObject({
    status: 400,
    code: "join_version",
    detail: expect.stringMatching(/another version of joining/),
  });
});

test("[C5] of a burst of first messages one is answered; the others are told to wait", async () => {
  const { body } = await firstMessage(newPin(), member.tlsKey);
  const all = await Promise.all(Array.from({ length: 40 }, () => sendStep(member.url, "start", body)));
  expect(all.filter(({ status }) => status === 200).length).toBe(1);
  const codes = new Set(all.map(({ json }) => Object.getOwnPropertyDescriptor(json, "code")?.value));
  expect(codes).toEqual(new Set([undefined, "join_busy"]));
});

test("[A8] [C5] what is no message is refused before it costs anything: too large, no JSON, other fields, no body", async () => {
  const { body } = await firstMessage(pin, member.tlsKey);
  const refused = async (sent: unknown) => (await sendStep(member.url, "start", sent)).status;
  expect(await refused({ ...body, request: "A".repeat(9000) })).toBe(413);
  for (const sent of [
    "{",
    "[]",
    "",
    { ...body, more: 1 },
    { ...body, request: "!" },
    { ...body, request: "AAAA" },
  ])
    expect(await refused(sent), JSON.stringify(sent)).toBe(400);
  expect(await refused(body)).toBe(200);
});

test("[A4] [C6] the join routes are where `auth` lists cluster and TLS is spoken, and nowhere else; before init they are 503", async () => {
  const { body } = await firstMessage(pin, member.tlsKey);
  const asked = { method: "POST", path: "/cluster/join/start", body };
  expect((await member.claviger.call(asked)).status).toBe(404);
  expect((await member.claviger.control(asked)).status).toBe(404);
  const [keysOnly = ""] = await addListeners(
    member.claviger,
    listenerSpec("keys", { tls: { kind: "auto" } }),
  );
  expect((await sendStep(keysOnly, "start", body)).status).toBe(404);
  await using fresh = await startClaviger();
  const url = await openToMembers(fresh);
  for (const step of ["start", "finish"] as const)
    expect((await sendStep(url, step, "")).json).toMatchObject({ status: 503, code: "cluster_closed" });
});

test("[A4] [C5] joining is closed after its 15 minutes and while the server is locked; the machine's own socket opens it", async () => {
  const clock = new FakeClock();
  const own = await startMember(pin, { clock });
  await using claviger = own.claviger;
  const { body } = await firstMessage(pin, own.tlsKey);
  const code = async () => (await sendStep(own.url, "start", body)).json;
  clock.advance(15 * 60_000);
  expect(await code()).toMatchObject({ status: 403, code: "joining_closed" });
  const until = async () => (await claviger.control({ path: "/api/v1/cluster" })).json;
  expect(await until()).toMatchObject({ joining_open_until: null });
  const open = () => claviger.control({ method: "POST", path: "/api/v1/cluster/open" });
  const opened = { joining_open_until: new Date(clock.now() + 900_000).toISOString() };
  expect((await open()).json).toEqual(opened);
  expect(await until()).toMatchObject(opened);
  expect(await code()).toMatchObject({ version: 1 });
  const key = { key: `the server key of ${pin}` };
  expect((await claviger.control({ method: "POST", path: "/api/v1/key/initialize", body: key })).status).toBe(
    200,
  );
  expect((await claviger.control({ method: "POST", path: "/api/v1/key/lock" })).status).toBe(200);
  expect(await code()).toMatchObject({ status: 503, code: "server_locked" });
  const { json } = await claviger.control({ path: "/api/v1/key/status" });
  expect(json).toEqual({ initialized: true, unlocked: false });
  await claviger.control({ method: "POST", path: "/api/v1/key/unlock", body: key });
  const audited = (await claviger.control({ path: "/api/v1/audit?limit=100" })).text;
  expect(audited).toContain("cluster.open");
});

test("[A12] [C5] last messages that prove nothing count against their address, right ones do not; then it is told to wait, 429", async () => {
  const clock = new FakeClock();
  const own = await startMember(pin, { clock });
  await using claviger = own.claviger;
  const guess = { run_id: "nobody-s", finish: "", node: "", confirm: "" };
  const wrong = async () => (await sendStep(own.url, "finish", guess)).status;
  for (let time = 0; time < 59; time += 1) expect(await wrong()).toBe(403);
  const first = await firstMessage(pin, own.tlsKey);
  const started = await sendStep(own.url, "start", first.body);
  const last = await lastMessage(pin, first, readAnswered(started.json));
  expect((await sendStep(own.url, "finish", last?.body)).status).toBe(200);
  expect([await wrong(), await wrong()]).toEqual([403, 429]);
  const { body } = await firstMessage(pin, own.tlsKey);
  expect((await sendStep(own.url, "start", body)).status).toBe(429);
  clock.advance(60_000);
  expect((await sendStep(own.url, "start", body)).status).toBe(200);
  expect((await claviger.control({ path: "/api/v1/cluster" })).status).toBe(200);
});

test("[E1] a member is dialled as every upstream is: no link-local or metadata address, and not this server itself", async () => {
  const own = await openToMembers(joiner);
  for (const url of ["https://169.254.169.254", "https://[fe80::1]:8442", own]) {
    const { status, json } = await joinBy(joiner, url, pin);
    expect([url, status, json]).toMatchObject([url, 502, { code: "egress_denied" }]);
  }
  const gone = await joinBy(joiner, "https://127.0.0.1:1", pin);
  expect(gone.json).toMatchObject({ code: "upstream_unreachable" });
});
