import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ChangeAuthor } from "#platform/http/exchange.ts";
import { systemRandom } from "#platform/lib/random.ts";
import { Secret } from "#platform/lib/secret.ts";
import { openBackup } from "#vault/backup/index.ts";
import { startClaviger, type TestClaviger } from "../claviger.ts";
import { startUpstream, type Upstream } from "../upstream.ts";
import { filesWith, newSecret, restoreElsewhere, takeBackup } from "./backup-talk.ts";

const by: ChangeAuthor = { principal: { kind: "local" }, address: null, requestId: "req_test" };
const CHAT = { model: "sim/sim-1", messages: [{ role: "user", content: "hello" }] };

let upstream: Upstream;
beforeAll(async () => {
  upstream = await startUpstream({ listsApart: true });
});
afterAll(() => upstream[Symbol.asyncDispose]());

/** Status of one chat with this key, on the server's own listener. */
async function chat(claviger: TestClaviger, key: string): Promise<number> {
  const headers = { authorization: `Bearer ${key}` };
  return (await claviger.call({ method: "POST", path: "/v1/chat/completions", headers, body: CHAT })).status;
}

/** The credential that the upstream was given last. */
function credentialSeen(): string {
  const headers = upstream.requests.at(-1)?.rawHeaders ?? [];
  return headers[headers.findIndex((name) => name.toLowerCase() === "authorization") + 1] ?? "";
}

/** Copies of the store on the disk, beside it. */
function copiesIn(dataDir: string): string[] {
  return readdirSync(join(dataDir, "db")).filter((name) => name.startsWith("backup-"));
}

async function audited(claviger: TestClaviger): Promise<string[]> {
  const { json } = await claviger.control({ path: "/api/v1/audit?limit=100" });
  if (typeof json !== "object" || json === null || !("data" in json) || !Array.isArray(json.data)) return [];
  const rows: { action: string; outcome: string; actor: string }[] = json.data;
  return rows
    .filter(({ action }) => /^key\.(backup|restore)$/.test(action))
    .map((row) => `${row.actor} ${row.action} ${row.outcome}`);
}

describe("without a server key", () => {
  test("[S14] a backup needs a password, opens elsewhere with it alone, and brings providers, credentials and keys", async () => {
    const [credential, password] = [newSecret(), newSecret()];
    let backup: Buffer;
    let key: string;
    {
      await using claviger = await startClaviger();
      await claviger.addProvider("sim", upstream.baseUrl, credential.expose());
      key = (await claviger.issueKey("app")).key;
      const bare = await takeBackup(claviger);
      expect({ status: bare.status, code: JSON.parse(bare.bytes.toString()).code }).toEqual({
        status: 400,
        code: "password_required",
      });
      const taken = await takeBackup(claviger, { password: password.expose() });
      expect(taken).toMatchObject({ status: 200, type: "application/octet-stream" });
      backup = taken.bytes;
      expect(copiesIn(claviger.dataDir)).toEqual([]);
      expect(await audited(claviger)).toEqual(["local key.backup success", "local key.backup failure"]);
    }
    const opened = await openBackup(
      (async function* () {
        yield backup;
      })(),
    );
    expect(opened.header).toMatchObject({ server_key: "uninitialized", file_key: { kind: "password" } });
    await expect(restoreElsewhere(backup, { password: newSecret() })).rejects.toThrow(/password is not that/);
    using elsewhere = await restoreElsewhere(backup, { password });
    for (const name of ["machine.key", "api_key_secret"])
      expect(statSync(join(elsewhere.dataDir, "secrets", name)).mode & 0o777).toBe(0o400);
    await using again = await startClaviger({ dataDir: elsewhere.dataDir });
    expect(again.app.seal.status()).toEqual({ initialized: false, unlocked: true });
    expect(await chat(again, key)).toBe(200);
    expect(credentialSeen()).toBe(`Bearer ${credential.expose()}`);
    expect(await audited(again)).toContain("local key.restore success");
  });

  test("[S14] [I15] only who may backup.create gets one, and every refusal is audited", async () => {
    await using claviger = await startClaviger();
    const { key, id } = await claviger.issueKey("operator", ["operator"]);
    const headers = { authorization: `Bearer ${key}` };
    const body = { password: newSecret().expose() };
    for (const call of [{ method: "GET" }, { method: "POST", body }])
      expect((await claviger.call({ path: "/api/v1/backup", headers, ...call })).status).toBe(403);
    expect((await claviger.call({ path: "/api/v1/backup" })).status).toBe(401);
    const admin = await claviger.issueKey("admin", ["superadmin"]);
    const full = await claviger.call({
      method: "POST",
      path: "/api/v1/backup",
      headers: { authorization: `Bearer ${admin.key}` },
      body,
    });
    expect(full.status).toBe(200);
    expect(await audited(claviger)).toEqual([
      `${admin.id} key.backup success`,
      `${id} key.backup denied`,
      `${id} key.backup denied`,
    ]);
  });

  test("[S14] a password of 11 characters or of 4,097 bytes is refused, one of 12 is taken", async () => {
    await using claviger = await startClaviger();
    for (const [password, status] of [
      ["a".repeat(11), 400],
      ["a".repeat(4097), 400],
      ["ä".repeat(12), 200],
    ] as const)
      expect((await takeBackup(claviger, { password })).status).toBe(status);
  });

  test("[S14] the configuration comes along, closed by the password, and is put in place", async () => {
    const [password, secret] = [newSecret(), newSecret()];
    await using claviger = await startClaviger();
    const etc = join(claviger.dataDir, "etc");
    writeFileSync(join(etc, "claviger.yaml"), "settings:\n  workers: 1\n", { mode: 0o600 });
    for (const name of ["certs", "credentials"]) mkdirSync(join(etc, name), { mode: 0o700 });
    writeFileSync(join(etc, "certs", "claviger.key"), `key ${secret.expose()}`, { mode: 0o400 });
    writeFileSync(join(etc, "certs", "claviger.crt"), "certificate", { mode: 0o644 });
    writeFileSync(join(etc, "credentials", "cluster_salt"), `salt ${secret.expose()}`, { mode: 0o400 });
    expect((await takeBackup(claviger, { with_config: true })).status).toBe(400);
    const { bytes } = await takeBackup(claviger, { password: password.expose(), with_config: true });
    expect(bytes.includes(secret.expose())).toBe(false);
    using elsewhere = await restoreElsewhere(bytes, { password });
    for (const [name, mode] of [
      ["claviger.yaml", 0o600],
      ["certs/claviger.key", 0o400],
      ["certs/claviger.crt", 0o644],
      ["credentials/cluster_salt", 0o400],
    ] as const) {
      const path = join(elsewhere.dataDir, "etc", name);
      expect(readFileSync(path, "utf8")).toBe(readFileSync(join(etc, name), "utf8"));
      expect(statSync(path).mode & 0o777, name).toBe(mode);
    }
    expect(statSync(join(elsewhere.dataDir, "etc", "credentials")).mode & 0o777).toBe(0o700);
  });

  test("[S14] its copy on the disk is gone when a client leaves, and after a crash with the next start", async () => {
    await using claviger = await startClaviger();
    const body = JSON.stringify({ password: newSecret().expose() });
    const outgoing = request({
      socketPath: claviger.app.controlSocket,
      path: "/api/v1/backup",
      method: "POST",
      headers: { host: "localhost", "content-type": "application/json", "content-length": body.length },
      agent: false,
    });
    const left = new Promise<void>((resolve) => {
      outgoing.on("error", () => resolve());
      outgoing.on("response", (response) => {
        response.destroy();
        resolve();
      });
    });
    outgoing.end(body);
    await left;
    await expect.poll(() => copiesIn(claviger.dataDir)).toEqual([]);
    // The next one finds the way free.
    expect((await takeBackup(claviger, JSON.parse(body))).status).toBe(200);
    await claviger.app.close();
    for (const end of ["", "-journal"])
      writeFileSync(join(claviger.dataDir, "db", `backup-0123456789abcdef.sqlite${end}`), "half a copy");
    await using again = await startClaviger({ dataDir: claviger.dataDir });
    expect(copiesIn(claviger.dataDir)).toEqual([]);
    expect(again.app.seal.isLocked()).toBe(false);
  });
});

describe("with a server key", () => {
  test("[S14] it holds no secret that opens without that key, and restored elsewhere keys work from the unlock on, in every thread", async () => {
    const [credential, serverKey] = [newSecret(), newSecret()];
    let backup: Buffer;
    let key: string;
    let secret: string;
    let fingerprint: string | undefined;
    {
      await using claviger = await startClaviger({ workers: 2 });
      await claviger.addProvider("sim", upstream.baseUrl, credential.expose());
      key = (await claviger.issueKey("app")).key;
      await claviger.app.seal.initialize(serverKey, { recovery: false, by });
      await claviger.app.seal.settled();
      fingerprint = claviger.app.seal.fingerprint();
      secret = readFileSync(join(claviger.dataDir, "secrets", "api_key_secret"), "utf8");
      const taken = await takeBackup(claviger);
      expect(taken.status).toBe(200);
      backup = taken.bytes;
    }
    using elsewhere = await restoreElsewhere(backup);
    const { dataDir } = elsewhere;
    expect(filesWith(dataDir, [credential.expose(), secret, key, serverKey.expose()])).toEqual([]);
    {
      await using claviger = await startClaviger({ dataDir, workers: 2 });
      expect(claviger.app.seal.status()).toEqual({ initialized: true, unlocked: false });
      expect(claviger.app.seal.fingerprint()).toBe(fingerprint);
      expect(await chat(claviger, key)).toBe(503);
      await expect(claviger.app.seal.unlock(newSecret(), by)).rejects.toThrow(/key/);
      expect(await chat(claviger, key)).toBe(503);
      await claviger.app.seal.unlock(serverKey, by);
      expect(readFileSync(join(dataDir, "secrets", "api_key_secret"), "utf8")).toBe(secret);
      for (let call = 0; call < 12; call++) expect(await chat(claviger, key)).toBe(200);
      expect(credentialSeen()).toBe(`Bearer ${credential.expose()}`);
      const made = await claviger.issueKey("later");
      expect(await chat(claviger, made.key)).toBe(200);
    }
    await using claviger = await startClaviger({ dataDir });
    await claviger.app.seal.unlock(serverKey, by);
    expect(await chat(claviger, key)).toBe(200);
  });

  test("[S14] a store as it was before a rotation opens with the key of that day, and not with today's", async () => {
    const [first, second] = [newSecret(), newSecret()];
    await using claviger = await startClaviger();
    await claviger.app.seal.initialize(first, { recovery: false, by });
    const { bytes } = await takeBackup(claviger);
    await claviger.app.seal.rotate({ current: first, next: second }, by);
    using elsewhere = await restoreElsewhere(bytes);
    // Locked, although it could open itself.
    const keyFile = join(elsewhere.dataDir, "etc", "server-key");
    writeFileSync(keyFile, first.expose(), { mode: 0o400 });
    const env = { CLAVIGER_SERVER_KEY_FILE: keyFile };
    await using again = await startClaviger({ dataDir: elsewhere.dataDir, env });
    expect(again.app.seal.isLocked()).toBe(true);
    await expect(again.app.seal.unlock(second, by)).rejects.toThrow();
    await again.app.seal.unlock(first, by);
    expect(again.app.seal.isLocked()).toBe(false);
  });

  test("[S14] while locked it is had over the control socket alone", async () => {
    await using claviger = await startClaviger();
    const admin = await claviger.issueKey("admin", ["superadmin"]);
    await claviger.app.seal.initialize(newSecret(), { recovery: false, by });
    await claviger.app.seal.lock(by);
    expect((await takeBackup(claviger)).status).toBe(200);
    const headers = { authorization: `Bearer ${admin.key}` };
    expect((await claviger.call({ path: "/api/v1/backup", headers })).status).toBe(503);
  });

  test("[S14] keys are revoked where that is asked for", async () => {
    const serverKey = newSecret();
    await using claviger = await startClaviger();
    const { key } = await claviger.issueKey("app");
    await claviger.app.seal.initialize(serverKey, { recovery: false, by });
    const { bytes } = await takeBackup(claviger);
    using elsewhere = await restoreElsewhere(bytes, { revokeKeys: true });
    await using again = await startClaviger({ dataDir: elsewhere.dataDir });
    await again.app.seal.unlock(serverKey, by);
    expect(await chat(again, key)).toBe(401);
    expect(await chat(again, (await again.issueKey("app")).key)).toBe(404);
  });

  test("[S14] [N5] an API_KEY_SECRET of the environment is not replaced, and the log says what that means", async () => {
    const [serverKey, other] = [newSecret(), new Secret(systemRandom.bytes(32).toString("base64url"))];
    await using claviger = await startClaviger();
    const { key } = await claviger.issueKey("app");
    await claviger.app.seal.initialize(serverKey, { recovery: false, by });
    const { bytes } = await takeBackup(claviger);
    using elsewhere = await restoreElsewhere(bytes);
    const { dataDir } = elsewhere;
    {
      await using again = await startClaviger({ dataDir, env: { API_KEY_SECRET: other.expose() } });
      await again.app.seal.unlock(serverKey, by);
      expect(await chat(again, key)).toBe(401);
      expect(again.logged()).toContain("is not the one the restored keys were made with");
    }
    await using without = await startClaviger({ dataDir });
    await without.app.seal.unlock(serverKey, by);
    expect(await chat(without, key)).toBe(404);
  });

  test("[S14] restored over another store, that one and its secrets are kept aside whole", async () => {
    const serverKey = newSecret();
    await using claviger = await startClaviger();
    await claviger.app.seal.initialize(serverKey, { recovery: false, by });
    const { bytes } = await takeBackup(claviger);
    await using other = await startClaviger();
    const { key } = await other.issueKey("precious");
    await other.app.close();
    const secrets = ["machine.key", "api_key_secret"].map((name) => join("secrets", name));
    const before = new Map(secrets.map((name) => [name, readFileSync(join(other.dataDir, name), "utf8")]));
    await restoreElsewhere(bytes, { dataDir: other.dataDir });
    const [aside = ""] = readdirSync(join(other.dataDir, "restore"));
    const kept = join(other.dataDir, "restore", aside);
    for (const [name, text] of before) expect(readFileSync(join(kept, name), "utf8")).toBe(text);
    // Put back by hand, it works as before.
    cpSync(kept, other.dataDir, { recursive: true, preserveTimestamps: true });
    await using back = await startClaviger({ dataDir: other.dataDir });
    expect(await chat(back, key)).toBe(404);
  });
});
