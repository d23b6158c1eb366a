import fc from "fast-check";
import { expect, test } from "vitest";
import { type MemberRecord, MOST_NODES, MOST_RECORDS, memberRecord } from "./member-record.ts";
import { digestOf, inOrder, isGreater, type MemberList, mergeLists, mergeWithin } from "./merge.ts";

const key = fc.constantFrom("A".repeat(59), "B".repeat(59));
const record: fc.Arbitrary<MemberRecord> = fc.record({
  id: fc.integer({ min: 0, max: 7 }).map(idOf),
  name: fc.constantFrom("box", "box-2", "other"),
  urls: fc.subarray(["https://10.0.0.1:8442", "https://[fd00::1]:8442", "https://box:8442"]),
  node_key: key,
  tls_keys: fc.subarray(["C".repeat(43), "D".repeat(43)]),
  admission: fc.integer({ min: 1, max: 3 }),
  seq: fc.integer({ min: 1, max: 4 }),
  left: fc.boolean(),
});
const lists = fc.array(fc.array(record, { maxLength: 12 }), { minLength: 2, maxLength: 5 });
const none: MemberList = new Map();
const listOf = (records: readonly MemberRecord[]) => mergeLists(none, records);
const merged = (one: MemberList, other: MemberList) => mergeLists(one, other.values());

function idOf(number: number): string {
  return `node_${String(number).padStart(16, "0")}`;
}

test("[C7] any order and any number of merges gives the same list", () => {
  const property = fc.property(lists, fc.array(fc.nat({ max: 4 }), { maxLength: 12 }), (all, order) => {
    const [first = none, second = none, third = none] = all.map(listOf);
    const whole = listOf(all.flat());
    expect(inOrder(merged(first, second))).toEqual(inOrder(merged(second, first)));
    expect(inOrder(merged(merged(first, second), third))).toEqual(
      inOrder(merged(first, merged(second, third))),
    );
    expect(inOrder(merged(whole, whole))).toEqual(inOrder(whole));
    const wild = [...order, ...all.keys()].reduce((list, at) => mergeLists(list, all[at] ?? []), none);
    expect(inOrder(wild)).toEqual(inOrder(whole));
    expect(digestOf(wild)).toBe(digestOf(whole));
  });
  fc.assert(property, { numRuns: 1000, seed: 11 });
});

test("[C7] of two records that differ one is the greater: the greater admission, then keys, then seq", () => {
  const property = fc.property(record, record, (one, other) => {
    const apart = { ...other, id: one.id };
    const isSame = JSON.stringify(one) === JSON.stringify(apart);
    expect(isGreater(one, apart) !== isGreater(apart, one)).toBe(!isSame);
    if (one.admission !== apart.admission)
      expect(isGreater(one, apart)).toBe(one.admission > apart.admission);
    const keysOf = (of: MemberRecord) => JSON.stringify([of.node_key, of.tls_keys]);
    const admitted = { ...apart, admission: one.admission };
    if (keysOf(one) !== keysOf(apart)) expect(isGreater(one, admitted)).toBe(keysOf(one) > keysOf(admitted));
    const sameKeys = { ...apart, node_key: one.node_key, tls_keys: one.tls_keys, admission: one.admission };
    if (one.seq !== apart.seq) expect(isGreater(one, sameKeys)).toBe(one.seq > sameKeys.seq);
  });
  fc.assert(property, { numRuns: 1000, seed: 12 });
});

test("[C7] a list is bounded, the same on all, and drops those that left before any that is live", () => {
  const some = (count: number, from: number, left: boolean) =>
    Array.from({ length: count }, (_, at) => ({ ...live, id: idOf(from + at), left }));
  const full = listOf([...some(MOST_NODES, 1000, false), ...some(MOST_RECORDS, 0, true)]);
  const records = inOrder(full);
  expect(records).toHaveLength(MOST_RECORDS);
  expect(records.filter(({ left }) => !left)).toHaveLength(MOST_NODES);
  const more = some(MOST_NODES, 2000, false);
  expect(inOrder(mergeLists(full, more))).toEqual(records);
  expect(inOrder(mergeLists(listOf(more), records))).toEqual(records);
});

test("[C7] no list, however long, puts a node out that is known and lives", () => {
  const before = listOf([{ ...live, id: "node_zzzzzzzzzzzzzzzz" }]);
  const many = Array.from({ length: MOST_RECORDS }, (_, at) => ({ ...live, id: idOf(at) }));
  expect(inOrder(mergeWithin(before, many))).toEqual(inOrder(before));
  expect(mergeWithin(before, many.slice(1, MOST_NODES)).size).toBe(MOST_NODES);
  const renamed = { ...live, id: "node_zzzzzzzzzzzzzzzz", name: "renamed", seq: 2 };
  expect(inOrder(mergeWithin(before, [...many, renamed]))).toEqual([renamed]);
});

test("[C7] what a node says is refused whole where it is malformed or endless", () => {
  expect(memberRecord.safeParse(live).success).toBe(true);
  const wrong = [
    { id: "node_1" },
    { name: "-box" },
    { name: "a".repeat(64) },
    { urls: ["http://10.0.0.1"] },
    { urls: ["https://10.0.0.1/path"] },
    { urls: Array.from({ length: 9 }, () => "https://10.0.0.1") },
    { urls: [`https://${"a".repeat(300)}`] },
    { node_key: "short" },
    { tls_keys: ["short"] },
    { admission: 0 },
    { seq: 1.5 },
    { left: "no" },
    { more: 1 },
  ];
  for (const part of wrong)
    expect(memberRecord.safeParse({ ...live, ...part }).success, JSON.stringify(part)).toBe(false);
});

const live: MemberRecord = {
  id: idOf(1),
  name: "box",
  urls: [],
  node_key: "A".repeat(59),
  tls_keys: [],
  admission: 1,
  seq: 1,
  left: false,
};
