import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";

const listShape = z.object({
  data: z.array(z.looseObject({ id: z.string(), name: z.string(), last_used_at: z.string().nullable() })),
  next_cursor: z.string().nullable(),
});

let claviger: TestClaviger;
beforeAll(async () => {
  claviger = await startClaviger({ clock: new FakeClock() });
});
afterAll(() => claviger[Symbol.asyncDispose]());

const create = (body: unknown, key?: string) => {
  const call = { method: "POST", path: "/api/v1/keys", body };
  if (key === undefined) return claviger.control(call);
  return claviger.call({ ...call, headers: { authorization: `Bearer ${key}` } });
};
const list = async (query = "") =>
  listShape.parse((await claviger.control({ path: `/api/v1/keys${query}` })).json);
const revoke = (id: string) => claviger.control({ method: "DELETE", path: `/api/v1/keys/${id}` });

describe("issuing a key", () => {
  test("[H3] [I10] the answer shows the key, this once", async () => {
    const { status, json, headers } = await create({ name: "web", permissions: ["gateway", "viewer"] });
    expect(status).toBe(201);
    expect(headers["cache-control"]).toBe("no-store");
    const { key } = z.object({ key: z.string() }).parse(json);
    expect(key).toMatch(/^sk-claviger-[0-9A-Za-z]{12}_[0-9A-Za-z]{49}$/);
    const row = {
      id: `key_${key.slice(12, 24)}`,
      name: "web",
      source: "store",
      prefix: key.slice(0, 24),
      last4: key.slice(-4),
      permissions: ["gateway", "viewer"],
      limits: {},
      models: null,
      allowed_ips: null,
      created_at: "2026-01-01T00:00:00.000Z",
      expires_at: null,
      last_used_at: null,
      last_address: null,
      revoked_at: null,
      replaces: null,
      replaced_by: null,
    };
    expect(json).toEqual({ ...row, key });
    const shown = await claviger.control({ path: "/api/v1/keys" });
    expect(listShape.parse(shown.json).data).toContainEqual(row);
    expect(shown.text).not.toContain(key);
    expect(shown.text).not.toContain(key.slice(25, 40));
  });

  test.each(["a", "A1", "a.b_c-d", "9", "n".repeat(63)])("[H3] a name may be %s", async (name) => {
    expect((await create({ name, permissions: [] })).status).toBe(201);
  });

  test.each([
    "",
    "-a",
    ".a",
    "_a",
    "a b",
    "a/b",
    "ä",
    "a\n",
    "n".repeat(64),
    5,
    null,
    ["a"],
    undefined,
  ])("[H3] a name may not be %j", async (name) => {
    expect(await create({ name, permissions: [] })).toMatchObject({
      status: 400,
      json: { code: "bad_request" },
    });
  });

  test.each([
    ["a set that does not exist", { permissions: ["gatewya"] }, "bad_request"],
    ["sets that are no list", { permissions: "gateway" }, "bad_request"],
    ["no sets", {}, "bad_request"],
    ["a field nobody knows", { permissions: [], colour: "red" }, "unknown_field"],
    ["a limit nobody knows", { permissions: [], limits: { colour: 1 } }, "unknown_field"],
  ])("[H3] %s is a 400", async (_what, body, code) => {
    expect(await create({ name: "refused", ...body })).toMatchObject({ status: 400, json: { code } });
    expect((await list("?limit=1000")).data.map(({ name }) => name)).not.toContain("refused");
  });

  test("[H3] a name taken is 409; a revoked key's name is free again", async () => {
    const { id } = await claviger.issueKey("once");
    expect(await create({ name: "once", permissions: [] })).toMatchObject({
      status: 409,
      json: { code: "conflict" },
    });
    expect((await revoke(id)).status).toBe(204);
    expect((await create({ name: "once", permissions: [] })).status).toBe(201);
  });
});

describe("listing and revoking", () => {
  test("[H3] DELETE answers 204 without a body, then 404", async () => {
    const { id } = await claviger.issueKey("brief");
    expect(await revoke(id)).toMatchObject({ status: 204, text: "" });
    expect((await revoke(id)).status).toBe(404);
    expect((await revoke("key_unknown")).status).toBe(404);
    expect((await list("?limit=1000")).data.find((row) => row.id === id)).toMatchObject({
      revoked_at: "2026-01-01T00:00:00.000Z",
    });
  });

  test("[H3] pages go from the newest to the oldest, each key once", async () => {
    const all = (await list("?limit=1000")).data.map(({ id }) => id);
    const seen: string[] = [];
    let cursor = "";
    for (let turn = 0; turn < all.length; turn++) {
      const page = await list(`?limit=3${cursor}`);
      seen.push(...page.data.map(({ id }) => id));
      if (page.next_cursor === null) break;
      cursor = `&cursor=${page.next_cursor}`;
    }
    expect(seen).toEqual(all);
    for (const query of ["?cursor=key_none", "?limit=0", "?limit=1001", "?limit=a", "?page=2"])
      expect((await claviger.control({ path: `/api/v1/keys${query}` })).status, query).toBe(400);
  });
});

describe("rights", () => {
  test("[I15] nobody hands out what he does not hold; what he holds he may, and revoke he may", async () => {
    const { key: operator } = await claviger.issueKey("op", ["operator"]);
    for (const permissions of [["superadmin"], ["operator", "superadmin"]])
      expect(await create({ name: "more", permissions }, operator)).toMatchObject({
        status: 403,
        json: { code: "exceeds_own_rights" },
      });
    expect((await create({ name: "equal", permissions: ["operator"] }, operator)).status).toBe(201);
    expect((await create({ name: "less", permissions: ["viewer"] }, operator)).status).toBe(201);
    expect((await create({ name: "none", permissions: [] }, operator)).status).toBe(201);
    const { id } = await claviger.issueKey("mighty", ["superadmin"]);
    const headers = { authorization: `Bearer ${operator}` };
    expect((await claviger.call({ method: "DELETE", path: `/api/v1/keys/${id}`, headers })).status).toBe(204);
  });

  test.each([
    ["superadmin", [200, 200, 200, 200, 200]],
    ["operator", [200, 200, 200, 200, 200]],
    ["viewer", [403, 403, 200, 200, 200]],
    ["gateway", [403, 403, 403, 403, 200]],
    ["member", [403, 403, 403, 403, 200]],
  ])("[I15] the built-in set %s opens what it says", async (set, expected) => {
    const { key } = await claviger.issueKey(`with-${set}`, [set]);
    const paths = ["/api/v1/keys", "/api/v1/providers", "/api/v1/audit", "/api/v1/requests", "/v1/models"];
    const statuses = [];
    for (const wanted of paths)
      statuses.push(
        (await claviger.call({ path: wanted, headers: { authorization: `Bearer ${key}` } })).status,
      );
    expect(statuses).toEqual(expected);
  });

  test("[I15] a key without any set is known and may nothing", async () => {
    const { key } = await claviger.issueKey("bare", []);
    for (const { method, path: route, contract } of claviger.app.routes()) {
      if (contract?.action === "open" || ["POST", "PUT", "PATCH"].includes(method)) continue;
      const wanted = route.replace(/:\w+|\{\w+\}/g, "thing");
      const answer = await claviger.call({
        method,
        path: wanted,
        headers: { authorization: `Bearer ${key}` },
      });
      expect([403, 404], `${method} ${route}`).toContain(answer.status);
    }
  });
});

test("[I10] nothing on the disk holds a key's text, and the list says when it was last used", async () => {
  const clock = new FakeClock();
  await using server = await startClaviger({ clock });
  const { id, key } = await server.issueKey("disk");
  const use = async () => {
    clock.advance(1000);
    await server.call({ path: "/v1/models", headers: { authorization: `Bearer ${key}` } });
  };
  await use();
  const shown = listShape.parse((await server.control({ path: "/api/v1/keys" })).json);
  expect(shown.data.find((row) => row.id === id)?.last_used_at).toBe("2026-01-01T00:00:01.000Z");
  await server.app.close();
  const files = readdirSync(server.dataDir, { recursive: true, withFileTypes: true }).filter((file) =>
    file.isFile(),
  );
  expect(files.length).toBeGreaterThan(2);
  for (const file of files) {
    const bytes = readFileSync(path.join(file.parentPath, file.name));
    for (const part of [key, key.slice(25), key.slice(25, 41)])
      expect(bytes.includes(part), file.name).toBe(false);
  }
});
