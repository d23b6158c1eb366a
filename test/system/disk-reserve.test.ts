import { statSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import * as z from "zod";
import { systemRandom } from "#platform/lib/random.ts";
import { type Answer, type Call, send } from "../claviger.ts";
import { firstPerson, freshPassword, type Person, person } from "../people/person.ts";
import { claviger, type Served, serve } from "../start/process.ts";
import { startUpstream, UPSTREAM_MODEL } from "../upstream.ts";
import { smallDisk } from "./small-disk.ts";

vi.setConfig({ testTimeout: 180_000 });

const RESERVE_BYTES = 8_000_000;
/** The server looks every other second, and fills its reserve every ten. */
const WAIT = { timeout: 60_000, interval: 250 };
const SETTINGS = ["disk_low_mb: 12", "disk_reserve_mb: 8", "require_api_key: true"];
const issued = z.object({ id: z.string(), key: z.string() });
const names = z.object({ data: z.array(z.object({ name: z.string() })) });

test("[W5] on a disk without one free byte whoever must be shut out or let in is, out of the reserve, for good; room heals all without a restart", async () => {
  using disk = smallDisk({ mebibytes: 64, settings: SETTINGS });
  await using upstream = await startUpstream();
  const dataDir = join(disk.root, "data");
  const start = () => serve(dataDir, { args: ["--config", disk.config] });
  const held = () => statSync(join(dataDir, "db", "reserve"), { throwIfNoEntry: false })?.size ?? 0;
  const serverKey = systemRandom.bytes(16).toString("hex");
  let password = freshPassword();
  let server = await start();
  try {
    let admin = await firstPerson(over(server), password);
    await admin.call(creating("sim", upstream.baseUrl));
    const [app, leaked, lost] = [
      await issue(admin, "app"),
      await issue(admin, "leaked"),
      await issue(admin, "lost"),
    ];
    const initialize = { method: "POST", path: "/api/v1/key/initialize", body: { key: serverKey } };
    expect(await admin.status(initialize)).toBe(200);
    await vi.waitFor(() => expect(held()).toBe(RESERVE_BYTES), WAIT);

    // What a step frees and leaves is taken at once, as by a program that goes on writing.
    const onFullDisk = async (call: () => Promise<number>) => {
      disk.fill();
      return call();
    };
    const refused = await fullAnswer(admin, disk, creating("more", upstream.baseUrl));
    expect(refused).toMatchObject({ status: 507, json: { code: "storage_full" } });
    expect(
      await onFullDisk(() => admin.status({ method: "DELETE", path: `/api/v1/keys/${leaked.id}` })),
    ).toBe(204);
    expect(await onFullDisk(() => chat(server, leaked.key))).toBe(401);
    expect(await onFullDisk(() => chat(server, app.key))).toBe(200);
    disk.fill();
    const late = await person(over(server), password);
    disk.fill();
    password = freshPassword();
    expect((await late.changePassword(password)).status).toBe(204);
    expect(await admin.status({ path: "/api/v1/me" })).toBe(401);
    expect(await onFullDisk(() => late.status({ method: "POST", path: "/api/v1/key/lock" }))).toBe(200);
    expect(await onFullDisk(() => chat(server, app.key))).toBe(503);
    const unlock = { method: "POST", path: "/api/v1/key/unlock", body: { key: serverKey } };
    expect(await onFullDisk(() => late.status(unlock))).toBe(200);
    for (let call = 0; call < 10; call++) expect(await onFullDisk(() => chat(server, app.key))).toBe(200);
    expect(await onFullDisk(() => late.status({ method: "POST", path: "/logout" }))).toBe(204);
    const status = await claviger(["status", "--data-dir", dataDir]);
    expect(status.stdout).toMatch(
      /disk: 0 MB free, less than 12 MB: changes are refused.*; the reserve still holds/,
    );
    expect((await claviger(["doctor", "--data-dir", dataDir, "--config-dir", disk.root])).stderr).toContain(
      "MB are free for",
    );

    // A restart on the full disk: what was answered holds.
    disk.fill();
    expect((await server.kill("SIGTERM")).status).toBe(0);
    disk.fill();
    server = await start();
    expect(await onFullDisk(() => chat(server, leaked.key))).toBe(503);
    admin = await person(over(server), password);
    expect(await onFullDisk(() => admin.status(unlock))).toBe(200);
    expect(await onFullDisk(() => chat(server, leaked.key))).toBe(401);
    expect(await onFullDisk(() => chat(server, app.key))).toBe(200);
    expect(await onFullDisk(() => admin.status({ method: "DELETE", path: `/api/v1/keys/${lost.id}` }))).toBe(
      204,
    );
    expect(await onFullDisk(() => chat(server, lost.key))).toBe(401);

    disk.free();
    await vi.waitFor(async () => {
      expect(await admin.status(creating("after", upstream.baseUrl))).toBe(201);
    }, WAIT);
    await vi.waitFor(() => expect(held()).toBe(RESERVE_BYTES), WAIT);
    const { data } = names.parse((await admin.call({ path: "/api/v1/providers" })).json);
    expect(data.map(({ name }) => name).sort()).toEqual(["after", "sim"]);
    expect((await server.kill("SIGTERM")).status).toBe(0);
  } finally {
    await server[Symbol.asyncDispose]();
  }
  const verified = await claviger(["audit", "verify", "--data-dir", dataDir]);
  expect([verified.status, verified.stdout]).toEqual([0, expect.stringContaining("whole: ")]);
});

/** As `Person` calls it. */
function over(server: Served): { call(call: Call): Promise<Answer> } {
  const { hostname: host, port } = new URL(server.url);
  return { call: (call) => send({ host, port }, call) };
}

const creating = (name: string, base_url: string) => ({
  method: "POST",
  path: "/api/v1/providers",
  body: {
    name,
    kind: "openai-compatible",
    base_url,
    credentials: [{ type: "api_key", value: "a-credential" }],
  },
});

async function fullAnswer(admin: Person, disk: { fill(): void }, call: Call): Promise<Answer> {
  disk.fill();
  return admin.call(call);
}

async function issue(admin: Person, name: string): Promise<z.infer<typeof issued>> {
  const body = { name, permissions: ["gateway"] };
  return issued.parse((await admin.call({ method: "POST", path: "/api/v1/keys", body })).json);
}

async function chat(server: Served, key: string): Promise<number> {
  const body = { model: `sim/${UPSTREAM_MODEL}`, messages: [{ role: "user", content: "hello" }] };
  const headers = { authorization: `Bearer ${key}` };
  const answer = await over(server).call({ method: "POST", path: "/v1/chat/completions", body, headers });
  return answer.status;
}
