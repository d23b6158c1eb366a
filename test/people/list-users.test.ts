import path from "node:path";
import { expect, test } from "vitest";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { scratch } from "../start/process.ts";
import { codeOf, firstPerson, freshPassword, logIn, person } from "./person.ts";

const USERS = "/api/v1/users";

interface Row {
  readonly id: string;
  readonly username: string;
  readonly second_factor: boolean;
  readonly last_signed_in_at: string | null;
}

async function list(server: Pick<TestClaviger, "control">, asked: Record<string, string> = {}) {
  const { status, json } = await server.control({ path: `${USERS}?${new URLSearchParams(asked)}` });
  const { data = [], next_cursor: next, code } = Object(json);
  const rows: Row[] = data;
  return { status, code, rows, names: rows.map(({ username }) => username), next };
}

async function add(server: TestClaviger, username: string, permissions = ["viewer"]) {
  const password = freshPassword();
  const body = { username, password, permissions, must_change_password: false };
  const { json } = await server.control({ method: "POST", path: USERS, body });
  return { username, password, id: String(Object(json).id) };
}

test("[H8] [U5] a user's last sign-in is told, each one and no other thing that he does, also after a restart", async () => {
  using place = scratch();
  const clock = new FakeClock();
  const dataDir = path.join(place.path, "data");
  const seen = async (server: TestClaviger) =>
    Object.fromEntries((await list(server)).rows.map((row) => [row.username, row.last_signed_in_at]));
  const first = new Date(clock.now()).toISOString();
  let maria: { username: string; password: string };
  let second: string;
  {
    await using server = await startClaviger({ clock, dataDir });
    const admin = await firstPerson(server);
    maria = await add(server, "maria");
    expect(await seen(server)).toEqual({ admin: first, maria: null });
    expect((await logIn(server, { username: "maria", password: freshPassword() })).status).toBe(401);
    clock.advance(60_000);
    // A new password begins a new session, and is no sign-in.
    expect((await admin.changePassword(freshPassword())).status).toBe(204);
    expect(await seen(server)).toEqual({ admin: first, maria: null });
    second = new Date(clock.now()).toISOString();
    const signedIn = await person(server, maria.password, "maria");
    clock.advance(60_000);
    expect(await signedIn.status({ path: "/api/v1/me" })).toBe(200);
    expect(await seen(server)).toEqual({ admin: first, maria: second });
  }
  await using server = await startClaviger({ clock, dataDir });
  expect(await seen(server)).toEqual({ admin: first, maria: second });
  const id = (await list(server, { search: "maria" })).rows[0]?.id ?? "";
  const permissions = ["operator"];
  const changed = await server.control({ method: "PATCH", path: `${USERS}/${id}`, body: { permissions } });
  expect(changed.json).toMatchObject({ permissions, last_signed_in_at: second, second_factor: false });
  const third = new Date(clock.now()).toISOString();
  await person(server, maria.password, "maria");
  expect(await seen(server)).toEqual({ admin: first, maria: third });
});

test("[U7] who has a second factor is seen in the list, once it is asked for and until it is taken off", async () => {
  const clock = new FakeClock();
  await using server = await startClaviger({ clock });
  const { id } = await add(server, "maria");
  await add(server, "nora");
  const factor = `${USERS}/${id}/second-factor`;
  const withOne = async () =>
    (await list(server)).rows.filter((row) => row.second_factor).map(({ username }) => username);
  const begun = await server.control({ method: "POST", path: factor });
  expect(await withOne()).toEqual([]);
  const code = codeOf(Object(begun.json).secret, clock.now());
  await server.control({ method: "POST", path: `${factor}/confirm`, body: { code } });
  expect(await withOne()).toEqual(["maria"]);
  const body = { permissions: ["viewer"] };
  const changed = await server.control({ method: "PATCH", path: `${USERS}/${id}`, body });
  expect(changed.json).toMatchObject({ second_factor: true });
  await server.control({ method: "DELETE", path: factor });
  expect(await withOne()).toEqual([]);
});

test("[H8] [D2] users are sorted, searched, filtered by their sets, and come page by page", async () => {
  const clock = new FakeClock();
  await using server = await startClaviger({ clock });
  const people = [];
  for (const name of ["nora", "maria", "otto"]) {
    people.push(await add(server, name, name === "otto" ? ["operator"] : ["viewer"]));
    clock.advance(1000);
  }
  for (const { username, password } of people.slice(0, 2).toReversed()) {
    await person(server, password, username);
    clock.advance(1000);
  }
  expect((await list(server)).names).toEqual(["maria", "nora", "otto"]);
  expect((await list(server, { sort: "-username" })).names).toEqual(["otto", "nora", "maria"]);
  expect((await list(server, { sort: "created_at" })).names).toEqual(["nora", "maria", "otto"]);
  expect((await list(server, { sort: "last_signed_in_at" })).names).toEqual(["maria", "nora", "otto"]);
  expect((await list(server, { sort: "-last_signed_in_at" })).names).toEqual(["nora", "maria", "otto"]);
  expect((await list(server, { search: "NORA" })).names).toEqual(["nora"]);
  expect((await list(server, { search: people[2]?.id ?? "" })).names).toEqual(["otto"]);
  expect((await list(server, { search: "nobody" })).rows).toEqual([]);
  expect((await list(server, { permission_set: "operator" })).names).toEqual(["otto"]);
  const first = await list(server, { limit: "2" });
  expect(first.names).toEqual(["maria", "nora"]);
  await add(server, "anna");
  const rest = await list(server, { limit: "2", cursor: first.next });
  expect([rest.names, rest.next]).toEqual([["otto"], null]);
  for (const asked of [
    { sort: "age" },
    { limit: "1001" },
    { cursor: "x" },
    { sort: "-username", cursor: first.next },
  ])
    expect(await list(server, asked)).toMatchObject({ status: 400, code: "bad_request" });
});
