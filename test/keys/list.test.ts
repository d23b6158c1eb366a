import { expect, test } from "vitest";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { bearing, keyCalls } from "./key-calls.ts";

const DAY_MS = 24 * 60 * 60_000;

async function list(server: Pick<TestClaviger, "control">, asked: Record<string, string> = {}) {
  const { status, json } = await server.control({ path: `/api/v1/keys?${new URLSearchParams(asked)}` });
  const { data = [], next_cursor: next, code } = Object(json);
  const names: string[] = data.map((key: { name: string }) => key.name);
  return { status, code, names, next };
}

/** Three days, a key each; the second expires, the third is revoked, the first is replaced by a fourth. */
async function withKeys() {
  const clock = new FakeClock();
  const server = await startClaviger({ clock });
  const keys = keyCalls(server);
  const end = new Date(clock.now() + 10 * DAY_MS).toISOString();
  const made = [];
  for (const name of ["delta", "Alpha", "charlie"]) {
    made.push(await keys.created(name, name === "Alpha" ? { expires_at: end } : {}));
    clock.advance(DAY_MS);
  }
  const [delta, alpha, charlie] = made;
  if (delta === undefined || alpha === undefined || charlie === undefined) throw new Error("not made");
  return { clock, server, keys, delta, alpha, charlie };
}

test("[H3] [D2] keys are listed by name, making, end and last use, either way", async () => {
  const { clock, server, delta, charlie } = await withKeys();
  await using _server = server;
  expect((await list(server)).names).toEqual(["charlie", "Alpha", "delta"]);
  expect((await list(server, { sort: "created_at" })).names).toEqual(["delta", "Alpha", "charlie"]);
  expect((await list(server, { sort: "name" })).names).toEqual(["Alpha", "charlie", "delta"]);
  expect((await list(server, { sort: "-name" })).names).toEqual(["delta", "charlie", "Alpha"]);
  for (const sort of ["expires_at", "-expires_at"])
    expect((await list(server, { sort, limit: "1" })).names).toEqual(["Alpha"]);
  for (const { key } of [charlie, delta]) {
    clock.advance(60_000);
    expect((await server.call({ path: "/v1/models", headers: bearing(key) })).status).toBe(200);
  }
  expect((await list(server, { sort: "last_used_at" })).names).toEqual(["charlie", "delta", "Alpha"]);
  expect((await list(server, { sort: "-last_used_at" })).names).toEqual(["delta", "charlie", "Alpha"]);
});

test("[H3] [D2] keys are filtered by their state as of now, and searched by name and by how they begin", async () => {
  const { clock, server, keys, delta, charlie } = await withKeys();
  await using _server = server;
  const inState = async (state: string) => (await list(server, { state, sort: "name" })).names;
  expect(await inState("in_force")).toEqual(["Alpha", "charlie", "delta"]);
  await keys.rotated(delta.id, "20d");
  await keys.revoke(charlie.id);
  const states = async () => [
    await inState("in_force"),
    (await inState("replaced")).map((name) => name.slice(0, 11)),
    (await inState("expired")).map((name) => name.slice(0, 11)),
    await inState("revoked"),
  ];
  expect(await states()).toEqual([["Alpha", "delta"], ["delta-until"], [], ["charlie"]]);
  clock.advance(15 * DAY_MS);
  expect(await states()).toEqual([["delta"], ["delta-until"], ["Alpha"], ["charlie"]]);
  clock.advance(15 * DAY_MS);
  expect(await states()).toEqual([["delta"], [], ["Alpha", "delta-until"], ["charlie"]]);

  expect((await list(server, { search: "ALPH" })).names).toEqual(["Alpha"]);
  const begin = charlie.key.slice(0, 20).toUpperCase();
  expect((await list(server, { search: begin })).names).toEqual(["charlie"]);
  expect((await list(server, { search: charlie.id, state: "in_force" })).names).toEqual([]);
  expect((await list(server, { search: "" })).names).toHaveLength(4);
});

test("[H3] [D2] pages stay right while keys come and are revoked", async () => {
  const clock = new FakeClock();
  await using server = await startClaviger({ clock });
  const keys = keyCalls(server);
  const ids = new Map<string, string>();
  for (const name of ["b", "d", "f", "h", "j"]) ids.set(name, (await keys.created(name)).id);
  const first = await list(server, { sort: "name", state: "in_force", limit: "2" });
  expect(first.names).toEqual(["b", "d"]);
  for (const name of ["a", "c", "g"]) await keys.created(name);
  for (const name of ["d", "h"]) await keys.revoke(ids.get(name) ?? "");
  const asked = { sort: "name", state: "in_force", limit: "2" };
  const second = await list(server, { ...asked, cursor: first.next });
  const third = await list(server, { ...asked, cursor: second.next });
  expect([second.names, third.names, third.next]).toEqual([["f", "g"], ["j"], null]);
});

test("[H3] what is no order, state or cursor of the list is told, and a whole key is not searched for", async () => {
  await using server = await startClaviger();
  const keys = keyCalls(server);
  const { key } = await keys.created("one");
  await keys.created("two");
  const { next } = await list(server, { sort: "name", limit: "1" });
  const wrong = [
    { sort: "age" },
    { state: "in force" },
    { limit: "0" },
    { cursor: next },
    { sort: "-name", cursor: next },
    { sort: "name", cursor: `${next}A` },
    { search: key },
    { search: "x".repeat(257) },
  ];
  for (const asked of wrong)
    expect(await list(server, asked)).toMatchObject({ status: 400, code: "bad_request" });
  expect(await list(server, { colour: "red" })).toMatchObject({ status: 400, code: "unknown_field" });
  expect((await list(server, { sort: "name", limit: "1", cursor: next })).names).toEqual(["two"]);
});

test("[I15] [H3] who may manage some names finds no others, however they are sorted and searched", async () => {
  const yaml = JSON.stringify({
    resources: { developer: { resource_type: "PermissionSet", allow: ["keys.manage:dev-*"] } },
  });
  await using server = await startClaviger({ yaml });
  const keys = keyCalls(server);
  const { key } = await keys.created("dev-boss", { permissions: ["developer"] });
  const prod = await keys.created("prod-dev-1");
  await keys.created("dev-1");
  const seen = async (asked: Record<string, string>) => {
    const path = `/api/v1/keys?${new URLSearchParams(asked)}`;
    const { json } = await server.call({ path, headers: bearing(key) });
    return Object(json).data.map(({ name }: { name: string }) => name);
  };
  expect(await seen({ sort: "-name" })).toEqual(["dev-boss", "dev-1"]);
  expect(await seen({ search: "dev-1", state: "in_force", sort: "last_used_at" })).toEqual(["dev-1"]);
  expect(await seen({ search: prod.id })).toEqual([]);
});
