import { expect, test } from "vitest";
import { type Answer, startClaviger, type TestClaviger } from "#test/claviger.ts";
import { firstPerson, freshPassword, person } from "./person.ts";

const SETS = { path: "/api/v1/permission-sets" };
const RESOURCES = {
  "night-shift": {
    resource_type: "PermissionSet",
    allow: ["gateway.use:openai/*", "gateway.use:local/*", "models.read", "users.manage"],
    deny: ["gateway.use:openai/o1*"],
  },
  viewer: { resource_type: "PermissionSet", allow: ["usage.read"] },
  auditor: { resource_type: "PermissionSet", allow: ["identities.read:night-*"] },
};
const yaml = JSON.stringify({ resources: RESOURCES });

const rowsOf = ({ json }: Answer) => Object(json).data.map(Object);

async function actionsOf(server: TestClaviger, username: string, permissions: readonly string[]) {
  const body = { username, password: freshPassword(), permissions, must_change_password: false };
  await server.control({ method: "POST", path: "/api/v1/users", body });
  const somebody = await person(server, body.password, username);
  return Object((await somebody.call({ path: "/api/v1/me" })).json).actions;
}

test("[D2] [I16] the permission sets in force are listed with what each allows, those of the file as such", async () => {
  await using server = await startClaviger({ yaml });
  const rows = rowsOf(await server.control(SETS));
  const {
    "night-shift": own,
    viewer,
    superadmin,
  } = Object.fromEntries(rows.map((row: { name: string }) => [row.name, row]));
  expect(own).toMatchObject({
    source: "file",
    allow: RESOURCES["night-shift"].allow,
    deny: RESOURCES["night-shift"].deny,
  });
  expect(own.actions).toEqual([
    {
      action: "gateway.use",
      permits: "call models and published APIs through the gateway",
      on: ["openai/*", "local/*"],
      except: ["openai/o1*"],
    },
    { action: "models.read", permits: expect.any(String), on: ["*"], except: [] },
    { action: "users.manage", permits: expect.any(String), on: ["*"], except: [] },
  ]);
  // One of the file stands in the place of the built-in set of that name.
  expect(viewer).toMatchObject({ source: "file", allow: ["usage.read"] });
  expect(superadmin).toMatchObject({ source: "built-in", allow: ["*"], deny: [] });
  expect(superadmin.actions).toHaveLength(18);
});

test("[I15] [D2] of the permission sets everybody sees those that his rights name, and nobody without the action any", async () => {
  await using server = await startClaviger({ yaml });
  const ask = async (sets: readonly string[]) => {
    const { key } = await server.issueKey(`for-${sets.join("-")}`, sets);
    return await server.call({ ...SETS, headers: { authorization: `Bearer ${key}` } });
  };
  expect(rowsOf(await ask(["auditor"])).map(({ name }: { name: string }) => name)).toEqual(["night-shift"]);
  expect((await ask(["viewer"])).status).toBe(403);
});

test("[I15] [D2] who signed in is told the actions that his sets allow him, those of the file too", async () => {
  await using server = await startClaviger({ yaml });
  await firstPerson(server);
  expect(await actionsOf(server, "clerk", ["night-shift"])).toEqual([
    "gateway.use",
    "models.read",
    "users.manage",
  ]);
  expect(await actionsOf(server, "reader", ["viewer"])).toEqual(["usage.read"]);
  expect(await actionsOf(server, "nobody", [])).toEqual([]);
});
