import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type Answer, startClaviger, type TestClaviger } from "#test/claviger.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

/** The sets that may be handed out, each as a key of it names them. */
const SETS = {
  superadmin: ["superadmin"],
  operator: ["operator"],
  viewer: ["viewer"],
  gateway: ["gateway"],
  member: ["member"],
  "viewer and gateway": ["viewer", "gateway"],
  narrow: ["narrow"],
  wide: ["wide"],
  nothing: [],
} as const satisfies Record<string, readonly string[]>;
type SetName = keyof typeof SETS;

const YAML = `resources:
  narrow: { resource_type: PermissionSet, allow: [keys.manage, models.read, "gateway.use:lab/*"] }
  wide: { resource_type: PermissionSet, allow: ["*"], deny: ["gateway.use:*-pro"] }
`;

/** Who manages keys, and everything he may hand out; nothing else. */
const MAY_HAND_OUT: readonly [SetName, readonly SetName[]][] = [
  [
    "superadmin",
    [
      "superadmin",
      "operator",
      "viewer",
      "gateway",
      "member",
      "viewer and gateway",
      "narrow",
      "wide",
      "nothing",
    ],
  ],
  ["operator", ["operator", "viewer", "gateway", "member", "viewer and gateway", "narrow", "nothing"]],
  ["narrow", ["narrow", "nothing"]],
  ["wide", ["viewer", "wide", "nothing"]],
];
const ALL = Object.keys(SETS).filter((name): name is SetName => name in SETS);

let claviger: TestClaviger;
let count = 0;
beforeAll(async () => {
  claviger = await startClaviger({ yaml: YAML });
});
afterAll(() => claviger[Symbol.asyncDispose]());

const fresh = () => `key-${count++}`;
const issue = (set: SetName) => claviger.issueKey(fresh(), SETS[set]);

/** Each way to hand out rights, or to get at them: done by whoever has the key `by`. */
const WAYS: readonly [string, (ask: Ask, set: SetName) => Promise<Answer>][] = [
  ["creating", (ask, set) => ask("POST", "", { name: fresh(), permissions: SETS[set] })],
  [
    "giving a key more",
    async (ask, set) => ask("PATCH", `/${(await issue("nothing")).id}`, { permissions: SETS[set] }),
  ],
  [
    "taking from a key what it has",
    async (ask, set) => ask("PATCH", `/${(await issue(set)).id}`, { permissions: [] }),
  ],
  ["renaming", async (ask, set) => ask("PATCH", `/${(await issue(set)).id}`, { name: fresh() })],
  ["rotating", async (ask, set) => ask("POST", `/${(await issue(set)).id}/rotate`, { overlap: "1h" })],
];
type Ask = (method: string, path: string, body?: unknown) => Promise<Answer>;

test.each(
  MAY_HAND_OUT.flatMap(([caller, allowed]) => WAYS.map(([way, work]) => ({ caller, allowed, way, work }))),
)("[I15] $way: of all sets $caller may do it with those he holds, and is refused with every other", async ({
  caller,
  allowed,
  work,
}) => {
  const { key } = await issue(caller);
  const ask: Ask = (method, path, body) =>
    claviger.call({ method, path: `/api/v1/keys${path}`, headers: { authorization: `Bearer ${key}` }, body });
  for (const set of ALL) {
    const answer = await work(ask, set);
    if (allowed.includes(set)) expect([200, 201], `${set}: ${answer.text}`).toContain(answer.status);
    else expect([answer.status, answer.json], set).toMatchObject([403, { code: "exceeds_own_rights" }]);
  }
});

test("[I15] whoever manages keys may revoke any, and what was refused left every key as it was", async () => {
  const { key } = await issue("narrow");
  const headers = { authorization: `Bearer ${key}` };
  const victim = await issue("superadmin");
  const path = `/api/v1/keys/${victim.id}`;
  const row = async () => (await claviger.control({ path })).text;
  const before = await row();
  for (const body of [{ permissions: [] }, { name: fresh() }, { expires_at: "2099-01-01T00:00:00Z" }])
    expect((await claviger.call({ method: "PATCH", path, headers, body })).status).toBe(403);
  expect(
    (await claviger.call({ method: "POST", path: `${path}/rotate`, headers, body: { overlap: "0" } })).status,
  ).toBe(403);
  expect(await row()).toBe(before);
  const used = await claviger.call({
    path: "/api/v1/keys",
    headers: { authorization: `Bearer ${victim.key}` },
  });
  expect(used.status).toBe(200);
  expect((await claviger.call({ method: "DELETE", path, headers })).status).toBe(204);
});

test("[I15] no way to hand out rights is left out above", () => {
  const changing = claviger.app
    .routes()
    .flatMap(({ contract }) => contract ?? [])
    .filter(({ action, method }) => action === "keys.manage" && !["GET", "HEAD"].includes(method))
    .map(({ method, path }) => `${method} ${path}`);
  // To revoke, by its id or by its text, takes rights away and gives none.
  expect(changing.sort()).toEqual([
    "DELETE /api/v1/keys/{id}",
    "PATCH /api/v1/keys/{id}",
    "POST /api/v1/keys",
    "POST /api/v1/keys/leaked",
    "POST /api/v1/keys/{id}/rotate",
  ]);
});
