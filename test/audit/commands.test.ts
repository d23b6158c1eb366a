import { randomBytes } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { Program } from "../start/process.ts";
import { recordKeys, scratch, storeOf, tamper, verified } from "./audited-server.ts";
import { runCommand } from "./command-run.ts";
import { writeChain } from "./written-chain.ts";

describe("claviger audit verify", () => {
  let place: ReturnType<typeof scratch>;
  let dir: string;
  beforeAll(async () => {
    place = scratch();
    dir = path.join(place.root, "data");
    await recordKeys(dir, ["a", "b"]);
  });
  afterAll(() => place[Symbol.dispose]());
  const run = (...more: string[]) => runCommand(["audit", "verify", "--data-dir", dir, ...more]);

  test("[W1] [L2] ends with 0 and says what was looked at", async () => {
    const fine = await run();
    expect([fine.status, fine.stdout.split("\n")[0], fine.stderr]).toEqual([
      0,
      "whole: 4 records, rows 1 to 4, 3 checkpoints",
      "",
    ]);
    expect(fine.stdout).toContain(verified(dir).public_key);
  });

  test("[W1] compares with a row that was once logged", async () => {
    expect((await run("--known", `3:${"0".repeat(64)}`)).stdout).toContain(
      "row 3 is not the one that was given",
    );
    const later = await run("--known", `50:${"0".repeat(64)}`);
    expect([later.status, later.stdout.split("\n")[1]]).toEqual([
      1,
      "  rows 5 to 50 are missing: the store is an older copy",
    ]);
    expect((await run("--known", "3")).status).toBe(64);
    expect((await run("--from", "0")).status).toBe(64);
  });

  test("[W1] [L2] ends with 1 and every place, in words and as JSON, and looks at what it is told to", async () => {
    tamper(dir, (store) => {
      store.exec("UPDATE audit SET actor = 'someone' WHERE seq = 2; DELETE FROM audit WHERE seq = 3");
    });
    const human = await run();
    expect([human.status, human.stdout.split("\n").slice(0, 3)]).toEqual([
      1,
      ["tampered with: 3 records, rows 1 to 4, 3 checkpoints", "  row 2 was changed", "  row 3 is missing"],
    ]);
    const json = await run("--json");
    expect([json.status, JSON.parse(json.stdout)]).toMatchObject([
      1,
      {
        whole: false,
        findings: [
          { kind: "changed", from: 2, to: 2 },
          { kind: "missing", from: 3, to: 3 },
        ],
      },
    ]);
    expect((await run("--from", "4")).status).toBe(0);
    expect((await run("--to", "1")).status).toBe(0);
    expect((await run("--from", "2", "--to", "2")).status).toBe(1);
  });

  test("[L2] counts one as one", async () => {
    const own = path.join(place.root, "one");
    await recordKeys(own, []);
    const fine = await runCommand(["audit", "verify", "--data-dir", own]);
    expect([fine.status, fine.stdout.split("\n")[0]]).toEqual([0, "whole: 0 records, 1 checkpoint"]);
  });

  test("[W1] [L2] draws how far it is on a terminal alone", async () => {
    const own = path.join(place.root, "many");
    await recordKeys(own, []);
    await writeChain(own, 20_000);
    const drawn = await runCommand(["audit", "verify", "--data-dir", own], { terminal: true });
    expect(drawn.stderr).toContain(`checking [${"#".repeat(15)}${" ".repeat(15)}] 10000 of 20000`);
    expect(drawn.stderr.endsWith("\r\u001b[K")).toBe(true);
    expect((await runCommand(["audit", "verify", "--data-dir", own])).stderr).toBe("");
  });

  test("[W1] [L2] ends with 65 for a damaged store or none, 78 without the secret", async () => {
    writeFileSync(storeOf(dir), randomBytes(8192));
    expect(await run()).toMatchObject({ status: 65, stdout: "" });
    rmSync(storeOf(dir));
    expect(await run()).toMatchObject({ status: 65, stdout: "" });
    rmSync(path.join(dir, "secrets", "audit_secret"), { force: true });
    expect(await run()).toMatchObject({ status: 78, stdout: "" });
  });
});

describe("the records of a running server", () => {
  let server: TestClaviger;
  let clock: FakeClock;
  const page = z.object({
    data: z.array(z.object({ seq: z.number(), action: z.string(), target: z.string().nullable() })),
    next_cursor: z.string().nullable(),
  });
  const ids: string[] = [];
  beforeAll(async () => {
    clock = new FakeClock();
    server = await startClaviger({ clock, env: { REQUIRE_API_KEY: "true" } });
    for (const name of ["one", "two", "three"]) {
      ids.push((await server.issueKey(name)).id);
      clock.advance(3_600_000);
    }
    await server.control({ method: "DELETE", path: `/api/v1/keys/${ids[1]}` });
    await server.control({ method: "DELETE", path: "/api/v1/keys/key_none" });
  });
  afterAll(() => server[Symbol.asyncDispose]());
  const list = async (query: string) =>
    page.parse((await server.control({ path: `/api/v1/audit?${query}` })).json);
  const seqs = async (query: string) => (await list(query)).data.map(({ seq }) => seq);
  const run = (...args: string[]) => runCommand(["audit", ...args, "--data-dir", server.dataDir]);

  test("[H5] are narrowed by actor, action, target, outcome and time, in either order, page by page", async () => {
    expect(await seqs("")).toEqual([5, 4, 3, 2, 1]);
    expect(await seqs("action=key.create")).toEqual([3, 2, 1]);
    expect(await seqs("action=key.create&order=oldest")).toEqual([1, 2, 3]);
    expect(await seqs(`target=${ids[1]}`)).toEqual([4, 2]);
    expect(await seqs("outcome=failure")).toEqual([5]);
    expect(await seqs("actor=local&outcome=success&after=2")).toEqual([4, 3]);
    expect(await seqs("actor=nobody")).toEqual([]);
    expect(await seqs("since=2026-01-01T01:00:00Z&until=2026-01-01T03:00:00Z")).toEqual([3, 2]);
    expect(await seqs("since=2026-01-02")).toEqual([]);
    expect(await seqs("until=2026-01-01T01:00:00%2B01:00")).toEqual([]);
    const first = await list("order=oldest&limit=2&outcome=success");
    expect(await seqs(`order=oldest&limit=2&outcome=success&cursor=${first.next_cursor}`)).toEqual([3, 4]);
    for (const wrong of ["order=any", "outcome=ok", "since=yesterday", "after=-1", "actor=", "cursor=5"])
      expect((await server.control({ path: `/api/v1/audit?${wrong}` })).status, wrong).toBe(400);
  });

  test("[W1] the chain and its public key are told to who may read the audit, and are those that verify names", async () => {
    const told = await server.control({ path: "/api/v1/audit/chain" });
    const { chain, public_key } = verified(server.dataDir);
    expect(told).toMatchObject({ status: 200, json: { chain, public_key, seq: 5 } });
    expect((await server.call({ path: "/api/v1/audit/chain" })).status).toBe(401);
  });

  test("[W1] [L2] are exported whole, the oldest first, as JSON lines or CSV", async () => {
    const lines = (await run("export")).stdout.trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line).seq)).toEqual([1, 2, 3, 4, 5]);
    const api = await server.control({ path: "/api/v1/audit?order=oldest&limit=1" });
    expect(page.loose().parse(api.json).data[0]).toMatchObject({ seq: 1 });
    expect(JSON.parse(lines[0] ?? "")).toEqual(JSON.parse(api.text).data[0]);
    const csv = (await run("export", "--format", "csv", "--outcome", "failure")).stdout.split("\r\n");
    expect(csv[0]).toBe("chain,seq,time,actor,action,target,outcome,address,request_id,count,hash");
    expect(csv[1]).toMatch(
      /^chain_[0-9a-f]{16},5,2026-01-01T03:00:00.000Z,local,keys.manage,key_none,failure,,req_\w+,1,[0-9a-f]{64}$/,
    );
  });

  test("[W1] [L2] are followed: the newest, then each that comes, once", async () => {
    const short = await run("tail", "-n", "2", "--action", "key.create", "--until", "2026-01-01T03:00:00Z");
    expect(short.stdout.split("\n").slice(0, -1)).toEqual([
      `2 2026-01-01T01:00:00.000Z success local key.create ${ids[1]} control-socket`,
      `3 2026-01-01T02:00:00.000Z success local key.create ${ids[2]} control-socket`,
    ]);
    const args = ["audit", "tail", "-f", "-n", "1", "--json", "--data-dir", server.dataDir];
    await using following = new Program(args, {});
    const [newest = ""] = await following.says(/^\{.*\}$/m);
    for (const name of ["later-1", "later-2"]) await server.issueKey(name);
    const seq = z.object({ seq: z.number() }).parse(JSON.parse(newest)).seq;
    await following.says(new RegExp(`"seq":${seq + 2},`));
    const printed = following.written.trimEnd().split("\n");
    expect(printed.map((line) => JSON.parse(line).seq)).toEqual([seq, seq + 1, seq + 2]);
  });

  test("[N10] [W1] are read while the server is locked, on the control socket alone", async () => {
    const admin = await server.issueKey("admin", ["superadmin"]);
    const post = (name: string, body?: object) =>
      server.control({ method: "POST", path: `/api/v1/key/${name}`, body });
    expect((await post("initialize", { key: randomBytes(12).toString("hex") })).status).toBe(200);
    expect((await post("lock")).status).toBe(200);
    expect((await run("tail", "-n", "1")).stdout).toContain(" success local key.lock ");
    expect((await run("verify")).status).toBe(0);
    expect((await server.control({ path: "/api/v1/audit/chain" })).status).toBe(200);
    const headers = { authorization: `Bearer ${admin.key}` };
    for (const path of ["/api/v1/audit", "/api/v1/audit/chain"])
      expect((await server.call({ path, headers })).status).toBe(503);
  });
});
