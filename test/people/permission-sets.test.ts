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

test("[D2] [I16] the permission sets are searched and sorted, the built-in ones first unless told otherwise", async () => {
  await using server = await startClaviger({ yaml });
  const list = async (query: string) => {
    const { status, json } = await server.control({ path: `${SETS.path}?${query}` });
    const { data = [], next_cursor: next } = Object(json);
    return { status, names: data.map(({ name }: { name: string }) => name), next };
  };
  const { names } = await list("");
  expect(names[0]).toBe("superadmin");
  expect(names.slice(-2)).toEqual(["night-shift", "auditor"]);
  expect((await list("sort=name")).names).toEqual(names.toSorted());
  expect((await list("sort=-name&search=T")).names).toEqual(
    names
      .filter((name: string) => name.includes("t"))
      .toSorted()
      .toReversed(),
  );
  const first = await list("limit=2");
  const second = await list(`limit=1000&cursor=${first.next}`);
  expect([first.names, second.names, second.next]).toEqual([names.slice(0, 2), names.slice(2), null]);
  for (const wrong of ["sort=age", "limit=0", "cursor=x", "colour=red"])
    expect((await list(wrong)).status).toBe(400);
});
