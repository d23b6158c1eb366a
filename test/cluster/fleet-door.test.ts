import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { systemRandom } from "#platform/lib/random.ts";
import { Secret } from "#platform/lib/secret.ts";
import { sealPinChange } from "#services/cluster/fleet/pin-change.ts";
import { readCredentials } from "#services/cluster/index.ts";
import { credentialsOf, newToken } from "./cluster-files.ts";
import { connectByHand, type HandNode, handCredential, sendByHand } from "./hand-node.ts";
import { newPin, nodeKeyOf, tokenOf } from "./member.ts";
import { type Fleet, idOf, nodesOf, startFleet, statesCome } from "./whole-fleet.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let fleet: Fleet;
let ids: readonly string[];
let clusterId = "";
beforeAll(async () => {
  fleet = await startFleet(3);
  ids = await Promise.all(fleet.nodes.map(idOf));
  clusterId = credentialsAt(0).clusterId;
  const body = { key: `a server key ${newPin()}` };
  await fleet.at(0).control({ method: "POST", path: "/api/v1/key/initialize", body });
});
afterAll(() => fleet[Symbol.asyncDispose]());

function credentialsAt(index: number) {
  const state = readCredentials(credentialsOf(fleet.at(index).dataDir));
  return state.status === "member" ? state.credentials : expect.fail(state.status);
}
/** The second node, as whoever has its parts calls the first. */
const second = (parts: Partial<HandNode> = {}): HandNode => ({
  ...{ id: ids[1] ?? "", clusterId, nodeKey: nodeKeyOf(fleet.at(1)), token: tokenOf(fleet.at(1)).trim() },
  ...parts,
});
async function callFirst(node: HandNode, path: string, body: unknown) {
  const connection = await connectByHand(fleet.urls[0] ?? "");
  const authorization = handCredential(node, ids[0] ?? "", connection);
  const { status, json } = await sendByHand(connection, path, {
    headers: { authorization },
    body: JSON.stringify(body),
  });
  return [status, Object(json).code ?? json];
}
/** The record of a node, as the first would have it once that left. */
const leftRecord = (index: number) => ({
  ...{ id: ids[index], name: "gone", urls: [], node_key: publicText(59), tls_keys: [publicText(43)] },
  ...{ admission: 1, seq: 1000, left: true },
});
const publicText = (length: number) => "A".repeat(length);

test("[C14] a node's key without the PIN locks nobody", async () => {
  expect(await callFirst(second({ token: newToken() }), "/cluster/lock", {})).toEqual([403, "needs_pin"]);
  expect((await fleet.at(0).control({ path: "/api/v1/key/status" })).json).toMatchObject({ unlocked: true });
});

test("[C4] a node says goodbye for itself alone", async () => {
  const say = (record: unknown) => callFirst(second(), "/cluster/leave", { record });
  expect(await say(leftRecord(2))).toEqual([400, "bad_request"]);
  expect(await say({ ...leftRecord(1), left: false })).toEqual([400, "bad_request"]);
  const noPin = callFirst(second({ token: newToken() }), "/cluster/leave", { record: leftRecord(1) });
  expect(await noPin).toEqual([403, "needs_pin"]);
  expect(await nodesOf(fleet.at(0))).toHaveLength(3);
});

test("[C9] no PIN is taken that was not sealed with the one in force, to this node, by the node that calls", async () => {
  const before = credentialsAt(0);
  const next = { ...before, memberToken: new Secret(newToken()), pinGeneration: 7 };
  const way = { clusterId, from: ids[1] ?? "", to: ids[0] ?? "" };
  const seal = (token: string, changed: Partial<typeof way> = {}) =>
    sealPinChange(new Secret(token), next, { ...way, ...changed }, systemRandom);
  const [token, stranger] = [tokenOf(fleet.at(0)).trim(), newToken()];
  const wrong = [
    seal(stranger),
    seal(token, { to: ids[2] ?? "" }),
    seal(token, { from: ids[2] ?? "" }),
    "AAAA",
  ];
  const give = (sealed: readonly string[], node = second()) =>
    callFirst(node, "/cluster/credentials", { sealed });
  for (const sealed of [[], wrong]) expect(await give(sealed)).toEqual([403, "needs_pin"]);
  expect(await give(Array(9).fill("AAAA"))).toEqual([400, "bad_request"]);
  expect(await give([seal(token)], second({ nodeKey: nodeKeyOf(fleet.at(2)) }))).toEqual([
    401,
    "invalid_token",
  ]);
  const older = sealPinChange(new Secret(token), { ...next, pinGeneration: 1 }, way, systemRandom);
  expect(await give([older])).toEqual([200, { taken: false, epoch: 1, pin_generation: 1 }]);
  expect(credentialsAt(0)).toEqual(before);
  // With another PIN by now, as one has who was told of it first.
  const right = await give(["AAAA", seal(token)], second({ token: next.memberToken.expose() }));
  expect(right).toEqual([200, { taken: true, epoch: 1, pin_generation: 7 }]);
  expect(credentialsAt(0)).toEqual({ ...next, nodeKey: before.nodeKey });
  await statesCome(fleet.at(0), ["up", "needs_pin", "needs_pin"]);
});
