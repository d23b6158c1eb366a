import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Answer, startClaviger, type TestClaviger } from "#test/claviger.ts";
import { freshPassword } from "./person.ts";

const CLERK = "clerk: { resource_type: PermissionSet, allow: [users.manage, keys.manage] }";
const OWNERS = 'owners: { resource_type: PermissionSet, allow: ["*"] }';
const yamlOf = (...sets: readonly string[]) => `resources:\n${sets.map((set) => `  ${set}\n`).join("")}`;
const code = ({ status, json }: Answer) => Object(json ?? {}).code ?? status;

async function reloadWith(server: TestClaviger, yaml: string): Promise<void> {
  writeFileSync(join(server.dataDir, "given.yaml"), yaml);
  const { status, text } = await server.control({ method: "POST", path: "/api/v1/config/reload", body: {} });
  expect(status, text).toBe(200);
}

test("[I15] whose set is gone from the file is taken over by nobody who may not everything: it may come back", async () => {
  await using server = await startClaviger({ yaml: yamlOf(CLERK, OWNERS) });
  const made = await server.control({
    method: "POST",
    path: "/api/v1/users",
    body: {
      username: "owner",
      password: freshPassword(),
      permissions: ["owners"],
      must_change_password: false,
    },
  });
  const user = `/api/v1/users/${Object(made.json).id}`;
  const key = `/api/v1/keys/${(await server.issueKey("owners", ["owners"])).id}`;
  const clerk = { authorization: `Bearer ${(await server.issueKey("clerk", ["clerk"])).key}` };
  const byClerk = async (method: string, path: string, body?: unknown) =>
    code(await server.call({ method, path, headers: clerk, body }));
  const password = freshPassword();
  for (const yaml of [yamlOf(CLERK, OWNERS), yamlOf(CLERK)]) {
    await reloadWith(server, yaml);
    expect([
      await byClerk("PUT", `${user}/password`, { password }),
      await byClerk("PATCH", user, { permissions: [] }),
      await byClerk("POST", `${user}/second-factor`),
      await byClerk("PATCH", key, { permissions: [] }),
      await byClerk("POST", `${key}/rotate`, { overlap: "0" }),
    ]).toEqual(Array(5).fill("exceeds_own_rights"));
  }
  const byRoot = async (method: string, path: string, body?: unknown) =>
    code(await server.control({ method, path, body }));
  expect(await byRoot("PUT", `${user}/password`, { password })).toBe(204);
  // Taking away is allowed, as it is with what is there.
  expect([await byClerk("DELETE", key), await byClerk("DELETE", user)]).toEqual([204, 204]);
});
