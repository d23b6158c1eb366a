import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { startClaviger } from "#test/claviger.ts";
import { openWithoutBody } from "#test/gates/raw.ts";
import { credentialsOf, newToken, replaceToken, writeMember } from "./cluster-files.ts";
import { statusComes, statusFrom, statusWith } from "./member-calls.ts";

describe("by what the file says", () => {
  const listener = (auth: string) =>
    `{ resource_type: HttpServer, listen_addr: "127.0.0.1:0", auth: [${auth}] }`;
  const yaml = (sets = "") =>
    `resources:\n  with: ${listener("keys, cluster")}\n  without: ${listener("users, keys")}\n${sets}`;

  test("[C6] [A3] the token is nobody's on a listener whose auth does not list cluster", async () => {
    await using claviger = await startClaviger({ yaml: yaml(), listen: [] });
    const token = newToken();
    writeMember(claviger.dataDir, token);
    await statusComes(claviger, token, 200);
    const [, url = ""] = claviger.app.urls;
    expect(await statusFrom("127.0.0.2", url, token)).toBe(401);
    await expect.poll(() => claviger.logged()).toContain('"reason":"not_here"');
  });

  test("[C6] [I11] a member whose token is another's while his request arrives does nothing", async () => {
    const full = yaml("  member: { resource_type: PermissionSet, permissions: full }\n");
    await using claviger = await startClaviger({ yaml: full, listen: [] });
    const [token, next] = [newToken(), newToken()];
    writeMember(claviger.dataDir, token);
    await statusComes(claviger, token, 200);
    const body = JSON.stringify({ name: "afterwards", permissions: [] });
    await using connection = await openWithoutBody(`${claviger.url}/api/v1/keys`, token, body.length);
    replaceToken(claviger.dataDir, next);
    await statusComes(claviger, next, 200);
    connection.socket.write(body);
    expect(await connection.untilClosed()).toMatch(/HTTP\/1\.1 401 /);
    expect((await claviger.control({ path: "/api/v1/keys" })).text).not.toContain("afterwards");
  });

  test("[C6] [I15] members hold full where the file says so of the set member, and less again when it does not", async () => {
    await using claviger = await startClaviger({ yaml: yaml(), listen: [] });
    const token = newToken();
    writeMember(claviger.dataDir, token);
    await statusComes(claviger, token, 200);
    const declare = async (sets: string) => {
      writeFileSync(join(claviger.dataDir, "given.yaml"), yaml(sets));
      const path = "/api/v1/config/reload";
      expect((await claviger.control({ method: "POST", path })).status).toBe(200);
    };
    expect(await statusWith(claviger, token, "/api/v1/keys")).toBe(403);
    await declare("  member: { resource_type: PermissionSet, permissions: full }\n");
    expect(await statusWith(claviger, token, "/api/v1/keys")).toBe(200);
    await declare("  member: { resource_type: PermissionSet, allow: [events.read] }\n");
    expect(await statusWith(claviger, token)).toBe(403);
    await declare("");
    expect(await statusWith(claviger, token)).toBe(200);
  });
});

test("[C6] [A3] a credential directory that others may read makes no member", async () => {
  await using claviger = await startClaviger();
  const token = newToken();
  writeMember(claviger.dataDir, token);
  await statusComes(claviger, token, 200);
  chmodSync(join(credentialsOf(claviger.dataDir), "pin_derived_key"), 0o444);
  await statusComes(claviger, token, 401);
});
