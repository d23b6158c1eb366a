import { afterAll, beforeAll, expect, test } from "vitest";
import { sha256 } from "#platform/lib/hmac.ts";
import { MOST_NODES, MOST_RECORDS } from "#services/cluster/members/member-record.ts";
import { newToken } from "./cluster-files.ts";
import { type FleetMember, nodesOf, startFleet } from "./fleet.ts";
import { connectByHand, type HandNode, handCredential, sendByHand } from "./hand-node.ts";
import { newPin, nodeKeyOf, tokenOf } from "./member.ts";

const PATH = "/cluster/heartbeat";
const stack = new AsyncDisposableStack();
let member: FleetMember;
let memberId: string;
/** What is left of a second member: its files. */
let hand: HandNode;
let own: Readonly<Record<string, unknown>>;

beforeAll(async () => {
  const fleet = stack.use(await startFleet(newPin(), [{}, {}]));
  const [first, second] = fleet.members;
  if (first === undefined || second === undefined) throw new Error("no members");
  member = first;
  const idOf = async ({ claviger }: FleetMember) => String((await nodesOf({ claviger }))[0]?.id);
  memberId = await idOf(first);
  const { json } = await first.claviger.control({ path: "/api/v1/cluster" });
  const clusterId = String(Object.getOwnPropertyDescriptor(json, "cluster_id")?.value);
  const [nodeKey, token] = [nodeKeyOf(second.claviger), tokenOf(second.claviger).trim()];
  hand = { id: await idOf(second), clusterId, nodeKey, token };
  await second.claviger.app.close();
  const answered = await greet({ list_digest: "A".repeat(43) });
  const records: unknown = Object.getOwnPropertyDescriptor(answered.json, "records")?.value;
  own = Object(Array.isArray(records) ? records.find((each) => each.id === hand.id) : undefined);
});
afterAll(() => stack.disposeAsync());

async function greet(more: object, node = hand, body?: string) {
  const presence = {
    version: "9.9.9",
    unlocked: true,
    models_digest: sha256("").toString("base64url"),
    epoch: 1,
    pin_generation: 1,
  };
  const said = { presence, list_digest: "B".repeat(43), ...more };
  const connection = await connectByHand(member.url);
  return await sendByHand(connection, PATH, {
    headers: { authorization: handCredential(node, memberId, connection) },
    body: body ?? JSON.stringify(said),
  });
}

const others = (count: number, more = {}) =>
  Array.from({ length: count }, (_, at) => ({
    ...own,
    id: `node_${String(at).padStart(16, "z")}`,
    name: `other-${at}`,
    ...more,
  }));
const countOf = async () => (await nodesOf(member)).length;

test("[C7] what a node tells is in its row; fields of a later version do no harm", async () => {
  const answered = await greet({ later: { any: 1 } });
  expect(answered).toMatchObject({ status: 200, json: { presence: { unlocked: true } } });
  expect(await nodesOf(member)).toContainEqual(expect.objectContaining({ id: hand.id, state: "up" }));
});

test("[C7] a list that is too long or of which one record is malformed is refused whole", async () => {
  const before = await countOf();
  const wrong: Record<string, readonly object[]> = {
    "300 records": others(300),
    "one more than a list has": others(MOST_RECORDS + 1),
    "one malformed record": [...others(1), { ...own, id: "nobody" }],
    "one unknown field": [...others(1), { ...own, later: 1 }],
  };
  for (const [name, records] of Object.entries(wrong))
    expect((await greet({ records })).status, name).toBe(400);
  expect((await greet({}, hand, "[]")).status).toBe(400);
  expect((await greet({ filled: "x".repeat(512 * 1024) })).status).toBe(413);
  expect(await countOf()).toBe(before);
});

test("[C9] one that has another PIN is heard, and neither told of others nor believed about them", async () => {
  const before = await countOf();
  const stranger = { ...hand, token: newToken() };
  const { status, json, text } = await greet({ records: others(3) }, stranger);
  expect([status, json]).toMatchObject([200, { presence: { unlocked: true } }]);
  expect(text).not.toMatch(/records|"models"/);
  expect(await countOf()).toBe(before);
  expect(await nodesOf(member)).toContainEqual(expect.objectContaining({ id: hand.id, state: "needs_pin" }));
});

test("[C7] new nodes are taken over, no more of them than a cluster has; those that left are none", async () => {
  const left = others(MOST_RECORDS, { left: true });
  expect((await greet({ records: left })).status).toBe(200);
  expect(await countOf()).toBe(2);
  const back = (count: number) => greet({ records: others(count, { admission: 2 }) });
  expect((await back(MOST_NODES - 2)).status).toBe(200);
  expect(await countOf()).toBe(MOST_NODES);
  expect((await back(MOST_RECORDS)).status).toBe(200);
  expect(await countOf()).toBe(MOST_NODES);
  expect((await nodesOf(member)).map(({ id }) => id)).toEqual(expect.arrayContaining([memberId, hand.id]));
});
