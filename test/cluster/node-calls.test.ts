import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createPeerDialler } from "#platform/egress/peer-dialler.ts";
import { readCredentials } from "#services/cluster/credential-files.ts";
import { createMemberCalls } from "#services/cluster/members/member-calls.ts";
import type { MemberRecord } from "#services/cluster/members/member-record.ts";
import { publicNodeKey } from "#services/cluster/new-credentials.ts";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { makeCertificate } from "#test/cli/tls-front.ts";
import { ask, bearer } from "#test/listeners/bench.ts";
import { credentialsOf, newToken, replaceToken } from "./cluster-files.ts";
import { connectByHand, type HandNode, handCredential, sendByHand } from "./hand-node.ts";
import { joinBy, newPin, nodeKeyOf, openToMembers, startMember, tlsKeyOf, tokenOf } from "./member.ts";
import { dataOf } from "./member-calls.ts";
import { startRelay } from "./relay.ts";
import { statesCome } from "./whole-fleet.ts";

const HEARTBEAT = "/cluster/heartbeat";
const DIGEST = "A".repeat(43);
const GREETING = {
  presence: { version: "0.0.0", unlocked: true, models_digest: DIGEST, epoch: 1, pin_generation: 1 },
  list_digest: DIGEST,
};
const DENIED = { status: 401, proof: undefined, json: expect.objectContaining({ code: "invalid_token" }) };

describe.each([1, 2])("two members, the one that is called with %i threads", (workers) => {
  const pin = newPin();
  const stack = new AsyncDisposableStack();
  let [callee, caller]: TestClaviger[] = [];
  let [url, tlsKey] = ["", ""];
  let node: HandNode;
  let record: MemberRecord;
  const called = () => callee ?? expect.fail("no server");

  beforeAll(async () => {
    const started = await startMember(pin, { workers });
    callee = stack.use(started.claviger);
    ({ url, tlsKey } = started);
    caller = stack.use(await startClaviger());
    await openToMembers(caller);
    expect(await joinBy(caller, url, pin)).toMatchObject({ status: 201 });
    node = await nodeOf(caller);
    record = await recordOf(callee, url, tlsKey);
  });
  afterAll(() => stack.disposeAsync());

  const greet = async (header: string | undefined, to = url, path = HEARTBEAT) => {
    const connection = await connectByHand(to);
    const headers = header === undefined ? {} : { authorization: header };
    return await sendByHand(connection, path, { headers, body: JSON.stringify(GREETING) });
  };
  const greetAs = async (own: HandNode, to = url, path = HEARTBEAT) => {
    const connection = await connectByHand(to);
    const headers = { authorization: handCredential(own, record.id, connection) };
    return await sendByHand(connection, path, { headers, body: JSON.stringify(GREETING) });
  };
  const callsOf = (claviger: TestClaviger) => {
    const dialler = stack.use(createPeerDialler({}));
    const state = () => readCredentials(credentialsOf(claviger.dataDir));
    return createMemberCalls({ ownId: node.id, state, dialler });
  };

  test("[C7] they find each other, each by its own calls", async () => {
    for (const claviger of [called(), caller ?? called()]) {
      const states = async () =>
        dataOf(await claviger.control({ path: "/api/nodes" })).map(
          (row) => Object.getOwnPropertyDescriptor(row, "state")?.value,
        );
      await expect.poll(states, { timeout: 10_000 }).toEqual(["up", "up"]);
    }
  });

  test("[C7] [A5] a member's credential opens the routes of nodes, over whatever thread its connection came", async () => {
    for (let tried = 0; tried < 8; tried++) {
      const answer = await greetAs(node);
      expect(answer).toMatchObject({ status: 200, json: { presence: { unlocked: true } } });
      expect(answer.proof).toMatch(/^[\w-]{86}\.[\w-]{43}$/);
    }
    const connection = await connectByHand(url);
    const recorded = handCredential(node, record.id, connection);
    connection.socket.destroy();
    for (let tried = 0; tried < 4; tried++) expect(await greet(recorded)).toMatchObject(DENIED);
  });

  test("[C7] [C6] nothing else opens them, and it opens nothing else", async () => {
    const { key } = await called().issueKey(`all-${workers}`, ["superadmin"]);
    const token = tokenOf(called()).trim();
    for (const header of [undefined, `Bearer ${key}`, `Bearer ${token}`, `Claviger-Node ${node.id}`])
      expect(await greet(header), header?.slice(0, 20)).toMatchObject(DENIED);
    const connection = await connectByHand(url);
    const cookie = { cookie: `claviger_session=${token}`, "x-api-key": key };
    expect(await sendByHand(connection, HEARTBEAT, { headers: cookie })).toMatchObject(DENIED);
    expect(await called().control({ method: "POST", path: HEARTBEAT, body: GREETING })).toMatchObject({
      status: 404,
    });
    const plain = { method: "POST", path: HEARTBEAT, body: GREETING, headers: bearer(key) };
    expect((await called().call(plain)).status).toBe(404);
    for (const path of ["/api/nodes", "/v1/models", "/sse", "/api/v1/keys"]) {
      const opened = await connectByHand(url);
      const headers = { authorization: handCredential(node, record.id, opened) };
      expect(await sendByHand(opened, path, { headers, method: "GET" }), path).toMatchObject({ status: 401 });
    }
  });

  test("[C7] whoever ends TLS between the two is refused, with the called one's certificate too", async () => {
    const directory = join(called().dataDir, "etc", "certs");
    const stolen = {
      certificate: readFileSync(join(directory, "claviger.crt"), "utf8"),
      key: readFileSync(join(directory, "claviger.key"), "utf8"),
    };
    await using relay = await startRelay(url, { own: stolen });
    expect(await greetAs(node, relay.url)).toMatchObject(DENIED);
    const calls = callsOf(caller ?? called());
    const greeting = (urls: string[]) => calls.call({ ...record, urls }, HEARTBEAT, GREETING);
    expect(await greeting([url])).toMatchObject({ status: 200, hasPin: true });
    expect(await greeting([relay.url])).toEqual({ status: 401, json: undefined, hasPin: false });
    relay.become(await makeCertificate());
    const changed = expect.objectContaining({ code: "upstream_unreachable", detail: "node_key_changed" });
    await expect(greeting([relay.url])).rejects.toEqual(changed);
    // It never got as far as a request.
    expect(relay.seen.filter((text) => text.includes("invalid_token"))).toHaveLength(2);
  });

  test("[C7] [C9] a member with another PIN may greet and no more, and a token without its node key nothing", async () => {
    const other = { ...node, token: newToken() };
    const greeted = await greetAs(other);
    expect(greeted).toMatchObject({ status: 200, json: { presence: { unlocked: true } } });
    expect(greeted.proof).toMatch(/^[\w-]{86}$/);
    expect(greeted.json).not.toHaveProperty("records");
    const nobody = { ...node, nodeKey: nodeKeyOf(called()) };
    expect(await greetAs(nobody)).toMatchObject(DENIED);
  });

  test("[C7] another token of the called one is another PIN to whoever calls, at once", async () => {
    const before = tokenOf(called()).trim();
    const calls = callsOf(caller ?? called());
    replaceToken(called().dataDir, newToken());
    const hasPin = async () => (await calls.call(record, HEARTBEAT, GREETING)).hasPin;
    await expect.poll(hasPin, { timeout: 10_000 }).toBe(false);
    expect(await calls.call(record, HEARTBEAT, GREETING)).toMatchObject({ status: 200, hasPin: false });
    replaceToken(called().dataDir, before);
    await expect.poll(hasPin, { timeout: 10_000 }).toBe(true);
  });
});

test("[C11] a member whose certificate's key changed is called by nobody until it joined anew", async () => {
  const pin = newPin();
  await using first = await startClaviger();
  const inside = await openToMembers(first);
  expect((await first.control({ method: "POST", path: "/api/v1/cluster/init", body: { pin } })).status).toBe(
    201,
  );
  await using place = await startClaviger();
  await openToMembers(place);
  expect((await joinBy(place, inside, pin)).status).toBe(201);
  const before = readFileSync(join(place.dataDir, "etc", "certs", "claviger.crt"));
  const { dataDir } = place;
  await place.app.close();
  rmSync(join(dataDir, "etc", "certs"), { recursive: true });
  await using second = await startClaviger({ dataDir });
  const url = await openToMembers(second);
  const after = readFileSync(join(dataDir, "etc", "certs", "claviger.crt"));
  expect(tlsKeyOf(after)).not.toBe(tlsKeyOf(before));
  await using dialler = createPeerDialler({});
  const state = () => readCredentials(credentialsOf(first.dataDir));
  const { id: ownId } = await nodeOf(first);
  const calls = createMemberCalls({ ownId, state, dialler });
  const record = await recordOf(second, url, tlsKeyOf(before));
  const changed = expect.objectContaining({ code: "upstream_unreachable", detail: "node_key_changed" });
  await expect(calls.call(record, HEARTBEAT, GREETING)).rejects.toEqual(changed);
  await expect.poll(() => first.logged(), { timeout: 15_000 }).toContain("node_key_changed");
  // It goes on greeting, by its node key, and counts as down all the same.
  await statesCome(first, ["up", "down"]);
  expect((await first.control({ method: "POST", path: "/api/v1/cluster/open" })).status).toBe(200);
  expect(await joinBy(second, inside, pin)).toMatchObject({ status: 201 });
  const anew = { ...record, tls_keys: [tlsKeyOf(after)], node_key: publicKeyOf(second) };
  expect(await calls.call(anew, HEARTBEAT, GREETING)).toMatchObject({ status: 200, hasPin: true });
  await statesCome(first, ["up", "up"]);
  expect((await ask(inside, { path: "/health", rejectUnauthorized: false })).status).toBe(200);
});

/** What a program that has this server's files calls others with. */
async function nodeOf(claviger: TestClaviger): Promise<HandNode> {
  const info = await claviger.control({ path: "/api/v1/info" });
  const status = await claviger.control({ path: "/api/v1/cluster" });
  const text = (json: unknown, name: string) =>
    String(Object.getOwnPropertyDescriptor(json, name)?.value ?? expect.fail(`no ${name}`));
  return {
    id: text(info.json, "node_id"),
    clusterId: text(status.json, "cluster_id"),
    nodeKey: nodeKeyOf(claviger),
    token: tokenOf(claviger).trim(),
  };
}

async function recordOf(claviger: TestClaviger, url: string, tlsKey: string): Promise<MemberRecord> {
  const { id } = await nodeOf(claviger);
  const node_key = publicKeyOf(claviger);
  return { id, name: "called", urls: [url], node_key, tls_keys: [tlsKey], admission: 1, seq: 1, left: false };
}

function publicKeyOf(claviger: TestClaviger): string {
  const state = readCredentials(credentialsOf(claviger.dataDir));
  return state.status === "member" ? publicNodeKey(state.credentials.nodeKey) : expect.fail("no member");
}
