import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { createServer } from "node:net";
import { afterAll, expect, test } from "vitest";
import { createPeerDialler } from "#platform/egress/peer-dialler.ts";
import { newId } from "#platform/lib/id.ts";
import { systemRandom } from "#platform/lib/random.ts";
import { Secret } from "#platform/lib/secret.ts";
import { createMemberCalls } from "#services/cluster/members/member-calls.ts";
import type { MemberRecord } from "#services/cluster/members/member-record.ts";
import { newToken } from "./cluster-files.ts";
import { type HandAnswer, startHandCallee } from "./hand-callee.ts";
import type { HandNode } from "./hand-node.ts";

const dialler = createPeerDialler({});
afterAll(() => dialler[Symbol.asyncDispose]());
const clusterId = newId("cluster", systemRandom);
const token = newToken();
const [own, other] = [newNode(), newNode()];
const calls = createMemberCalls({
  ownId: own.id,
  dialler,
  state: () => ({
    status: "member",
    credentials: {
      clusterId,
      salt: Buffer.alloc(32),
      epoch: 1,
      pinGeneration: 1,
      iterations: 600_000,
      pepper: new Secret("unused"),
      opaque: { serverSetup: new Secret("unused"), record: "unused" },
      pinHash: "unused",
      memberToken: new Secret(token),
      nodeKey: new Secret(own.nodeKey),
    },
  }),
});

test("[C7] a member's answer is its JSON, with whether it has the PIN", async () => {
  const answered = await askOne((right) => ({ proof: right, body: '{"a":1}' }));
  expect(answered).toEqual({ status: 200, json: { a: 1 }, hasPin: true });
  const refusal = await askOne((right) => ({
    status: 403,
    proof: right.split(".")[0],
    body: '{"code":"x"}',
  }));
  expect(refusal).toEqual({ status: 403, json: { code: "x" }, hasPin: false });
  expect(await askOne((proof) => ({ status: 204, proof, body: "" }))).toMatchObject({ json: undefined });
});

test("[C7] another PIN there is no proof, and a node all the same", async () => {
  const stranger = { ...other, token: newToken() };
  const answered = await askOne((proof) => ({ proof }), stranger);
  expect(answered).toEqual({ status: 200, json: {}, hasPin: false });
});

test.each<[string, (right: string) => HandAnswer]>([
  ["none", () => ({ proof: undefined })],
  ["a torn one", (right) => ({ proof: right.slice(1) })],
  ["one of other bytes", (right) => ({ proof: right.replace(/^..../, "AAAA") })],
])("[C7] [C11] a success with %s of the node's signatures is no success", async (_name, answer) => {
  const refused = expect.objectContaining({ code: "upstream_failed" });
  await expect(askOne((right) => ({ body: '{"a":1}', ...answer(right) }))).rejects.toEqual(refused);
  const words = { status: 403, body: '{"code":"needs_pin"}' };
  const answered = await askOne((right) => ({ ...answer(right), ...words }));
  expect(answered).toEqual({ status: 403, json: undefined, hasPin: false });
});

test("[C7] [C11] whoever has the certificate's key alone signs for nobody", async () => {
  const thief = { ...other, nodeKey: newNode().nodeKey };
  const refused = expect.objectContaining({ code: "upstream_failed" });
  await expect(askOne((proof) => ({ proof }), thief)).rejects.toEqual(refused);
});

test("[C11] to a server that shows another key nothing is said, whatever else it is", async () => {
  await using callee = await startHandCallee(other, (proof) => ({ proof }));
  const member = memberAt([callee.url], [newToken()]);
  const refused = expect.objectContaining({ code: "upstream_unreachable", detail: "node_key_changed" });
  await expect(calls.call(member, "/cluster/thing", {})).rejects.toEqual(refused);
  expect(callee.heard).toEqual([]);
});

test("[C7] of several URLs the first that leads to it is taken, and the next time at once", async () => {
  await using impostor = await startHandCallee(other, () => ({}));
  await using callee = await startHandCallee(other, (proof) => ({ proof }));
  await using silent = await startSilent();
  const urls = ["https://127.0.0.1:1", impostor.url, silent.url, callee.url];
  const member = memberAt(urls, [callee.tlsKey]);
  const call = (deadlineMs: number) => calls.call(member, "/cluster/thing", {}, { deadlineMs });
  expect(await call(3000)).toMatchObject({ status: 200, hasPin: true });
  const before = performance.now();
  expect(await call(3000)).toMatchObject({ status: 200, hasPin: true });
  expect(performance.now() - before).toBeLessThan(500);
  expect(impostor.heard).toEqual([]);
});

test("[C7] TLS 1.2 is no way to a node", async () => {
  await using callee = await startHandCallee(other, (proof) => ({ proof }), { maxVersion: "TLSv1.2" });
  const refused = expect.objectContaining({ code: "upstream_unreachable" });
  await expect(calls.call(memberAt([callee.url], [callee.tlsKey]), "/cluster/thing", {})).rejects.toEqual(
    refused,
  );
  expect(callee.heard).toEqual([]);
});

test("[C7] an answer that does not come is given up at the deadline", async () => {
  const never = new Promise<HandAnswer>(() => undefined);
  await using callee = await startHandCallee(other, () => never);
  const member = memberAt([callee.url], [callee.tlsKey]);
  const refused = expect.objectContaining({ code: "upstream_unreachable", detail: "timeout" });
  await expect(calls.call(member, "/cluster/thing", {}, { deadlineMs: 200 })).rejects.toEqual(refused);
  await using silent = await startSilent();
  const lost = memberAt([silent.url], [callee.tlsKey]);
  await expect(calls.call(lost, "/cluster/thing", {}, { deadlineMs: 200 })).rejects.toEqual(refused);
  await expect(calls.call(memberAt([], []), "/cluster/thing", {})).rejects.toMatchObject({
    detail: "no url",
  });
});

test("[C7] an answer beyond 512 KiB, or without JSON, is not taken", async () => {
  const refused = expect.objectContaining({ code: "upstream_failed" });
  const large = (bytes: number) => JSON.stringify("a".repeat(bytes - 2));
  expect(await askOne((proof) => ({ proof, body: large(512 * 1024) }))).toMatchObject({ status: 200 });
  await expect(askOne((proof) => ({ proof, body: large(512 * 1024 + 1) }))).rejects.toEqual(refused);
  await expect(askOne((proof) => ({ proof, body: "{" }))).rejects.toEqual(refused);
});

/** What one call to a node that answers so gives. */
async function askOne(answer: (right: string) => HandAnswer | Promise<HandAnswer>, as: HandNode = other) {
  await using callee = await startHandCallee(as, answer);
  return await calls.call(memberAt([callee.url], [callee.tlsKey]), "/cluster/thing", { asked: true });
}

function memberAt(urls: readonly string[], tlsKeys: readonly string[]): MemberRecord {
  const key = createPublicKey(other.nodeKey).export({ type: "spki", format: "der" });
  return {
    id: other.id,
    name: "other",
    urls: [...urls],
    node_key: key.toString("base64url"),
    tls_keys: [...tlsKeys],
    admission: 1,
    seq: 1,
    left: false,
  };
}

function newNode(): HandNode {
  const { privateKey } = generateKeyPairSync("ed25519");
  const nodeKey = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  return { id: newId("node", systemRandom), clusterId, nodeKey, token };
}

/** Accepts connections and says nothing. */
async function startSilent(): Promise<AsyncDisposable & { readonly url: string }> {
  const sockets: Disposable[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => {});
    sockets.push({ [Symbol.dispose]: () => socket.destroy() });
  });
  const listening = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", listening.resolve);
  await listening.promise;
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `https://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket[Symbol.dispose]();
      server.close();
    },
  };
}
