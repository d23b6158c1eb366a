import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type Answer, startClaviger, type TestClaviger } from "#test/claviger.ts";
import { firstPerson, freshPassword, logIn, person } from "./person.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

/** The sets that may be handed out, each as a user of it names them. */
const SETS = {
  superadmin: ["superadmin"],
  operator: ["operator"],
  viewer: ["viewer"],
  gateway: ["gateway"],
  "viewer and gateway": ["viewer", "gateway"],
  clerk: ["clerk"],
  narrow: ["narrow"],
  wide: ["wide"],
  nothing: [],
} as const satisfies Record<string, readonly string[]>;
type SetName = keyof typeof SETS;

const YAML = `resources:
  clerk: { resource_type: PermissionSet, allow: [users.manage, "*.read"] }
  narrow: { resource_type: PermissionSet, allow: [users.manage, keys.manage, models.read, "gateway.use:lab/*"] }
  wide: { resource_type: PermissionSet, allow: ["*"], deny: ["gateway.use:*-pro"] }
`;
const ALL = Object.keys(SETS).filter((name): name is SetName => name in SETS);

/** Who manages users, and everything he may hand out; nothing else. */
const MAY_HAND_OUT: readonly ["session" | "key", SetName, readonly SetName[]][] = [
  ["session", "superadmin", ALL],
  ["session", "clerk", ["viewer", "clerk", "nothing"]],
  ["key", "clerk", ["viewer", "clerk", "nothing"]],
  ["session", "narrow", ["narrow", "nothing"]],
  ["session", "wide", ["viewer", "clerk", "wide", "nothing"]],
];

let server: TestClaviger;
let count = 0;
beforeAll(async () => {
  server = await startClaviger({ yaml: YAML });
  await firstPerson(server);
});
afterAll(() => server[Symbol.asyncDispose]());

const USERS = "/api/v1/users";
const fresh = () => `user-${count++}`;

/** Somebody with these sets, made by who may do everything. */
async function somebody(set: SetName) {
  const username = fresh();
  const password = freshPassword();
  const body = { username, password, permissions: SETS[set], must_change_password: false };
  const { status, json, text } = await server.control({ method: "POST", path: USERS, body });
  expect(status, text).toBe(201);
  return { username, password, path: `${USERS}/${Object(json).id}` };
}

type Ask = (method: string, path: string, body?: unknown) => Promise<Answer>;

/** What one does who signed in as somebody with these sets, or bears a key of them. */
async function asking(by: "session" | "key", set: SetName): Promise<Ask> {
  if (by === "key") {
    const { key } = await server.issueKey(fresh(), SETS[set]);
    const headers = { authorization: `Bearer ${key}` };
    return (method, path, body) => server.call({ method, path, headers, body });
  }
  const { username, password } = await somebody(set);
  const own = await person(server, password, username);
  return (method, path, body) => own.call({ method, path, body });
}

/** Each way to hand out rights, or to get at them, and what it is answered where it is allowed. */
const WAYS: readonly [string, number | string, (ask: Ask, set: SetName) => Promise<Answer>][] = [
  [
    "creating",
    201,
    (ask, set) =>
      ask("POST", USERS, { username: fresh(), password: freshPassword(), permissions: SETS[set] }),
  ],
  [
    "giving a user more",
    200,
    async (ask, set) => ask("PATCH", (await somebody("nothing")).path, { permissions: SETS[set] }),
  ],
  [
    "taking from a user what he has",
    200,
    async (ask, set) => ask("PATCH", (await somebody(set)).path, { permissions: [] }),
  ],
  [
    "giving a user another password",
    204,
    async (ask, set) => ask("PUT", `${(await somebody(set)).path}/password`, { password: freshPassword() }),
  ],
  [
    "beginning with a user's second factor",
    200,
    async (ask, set) => ask("POST", `${(await somebody(set)).path}/second-factor`),
  ],
  [
    "confirming a user's second factor",
    "wrong_code",
    async (ask, set) => {
      const path = `${(await somebody(set)).path}/second-factor`;
      await server.control({ method: "POST", path });
      return ask("POST", `${path}/confirm`, { code: "123456" });
    },
  ],
  [
    "taking a user's second factor off",
    204,
    async (ask, set) => ask("DELETE", `${(await somebody(set)).path}/second-factor`),
  ],
];

test.each(
  MAY_HAND_OUT.flatMap(([by, caller, allowed]) =>
    WAYS.map(([way, done, work]) => ({ by, caller, allowed, way, done, work })),
  ),
)("[I15] $way by a $by: of all sets $caller may do it with those he holds, and is refused with every other", async ({
  by,
  caller,
  allowed,
  done,
  work,
}) => {
  const ask = await asking(by, caller);
  for (const set of ALL) {
    const { status, json } = await work(ask, set);
    const answered = Object(json ?? {}).code ?? status;
    expect([set, answered]).toEqual([set, allowed.includes(set) ? done : "exceeds_own_rights"]);
  }
});

test("[I15] what was refused left the user as he was, his password and his sessions too; to remove him is allowed", async () => {
  const victim = await somebody("superadmin");
  const signedIn = await person(server, victim.password, victim.username);
  const row = async () =>
    (await server.control({ path: `${USERS}?search=${victim.username}` })).text.replace(/"last_[^,}]*/, "");
  const before = await row();
  const ask = await asking("session", "clerk");
  const password = freshPassword();
  for (const [method, path, body] of [
    ["PATCH", victim.path, { permissions: [] }],
    ["PUT", `${victim.path}/password`, { password }],
    ["POST", `${victim.path}/second-factor`, undefined],
    ["DELETE", `${victim.path}/second-factor`, undefined],
  ] as const)
    expect((await ask(method, path, body)).status, path).toBe(403);
  expect(await row()).toBe(before);
  expect(await signedIn.status({ path: "/api/v1/me" })).toBe(200);
  expect((await logIn(server, { username: victim.username, password })).status).toBe(401);
  expect((await logIn(server, { username: victim.username, password: victim.password })).status).toBe(200);
  expect((await ask("DELETE", victim.path)).status).toBe(204);
  expect(await signedIn.status({ path: "/api/v1/me" })).toBe(401);
});

test("[I15] who signed in makes, changes and rotates no key that may more than he, and may revoke any", async () => {
  const ask = await asking("session", "narrow");
  const KEYS = "/api/v1/keys";
  const outcome = async (...asked: Parameters<Ask>) => {
    const { status, json } = await ask(...asked);
    return Object(json ?? {}).code ?? status;
  };
  for (const [set, wanted] of [
    ["narrow", [201, 200, 200, 201, 204]],
    ["viewer", [...Array(4).fill("exceeds_own_rights"), 204]],
    ["superadmin", [...Array(4).fill("exceeds_own_rights"), 204]],
  ] as const) {
    const issue = async () => `${KEYS}/${(await server.issueKey(fresh(), SETS[set])).id}`;
    const bare = `${KEYS}/${(await server.issueKey(fresh(), [])).id}`;
    expect([
      set,
      await outcome("POST", KEYS, { name: fresh(), permissions: SETS[set] }),
      await outcome("PATCH", bare, { permissions: SETS[set] }),
      await outcome("PATCH", await issue(), { permissions: [] }),
      await outcome("POST", `${await issue()}/rotate`, { overlap: "1h" }),
      await outcome("DELETE", await issue()),
    ]).toEqual([set, ...wanted]);
  }
});

test("[I15] no way to hand out rights over users is left out above", () => {
  const changing = server.app
    .routes()
    .flatMap(({ contract }) => contract ?? [])
    .filter(({ action, method }) => action === "users.manage" && !["GET", "HEAD"].includes(method))
    .map(({ method, path }) => `${method} ${path}`);
  // To remove somebody takes rights away and gives none.
  expect(changing.sort()).toEqual([
    "DELETE /api/v1/users/{id}",
    "DELETE /api/v1/users/{id}/second-factor",
    "PATCH /api/v1/users/{id}",
    "POST /api/v1/users",
    "POST /api/v1/users/{id}/second-factor",
    "POST /api/v1/users/{id}/second-factor/confirm",
    "PUT /api/v1/users/{id}/password",
  ]);
});
