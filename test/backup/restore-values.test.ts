import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { EXIT } from "#cli/exit-codes.ts";
import { startUpstream, type Upstream } from "../upstream.ts";
import { newSecret } from "./backup-talk.ts";
import { chat, DAMAGE, initialize, restoresRecorded, rotate, ValueBench } from "./value-bench.ts";

vi.setConfig({ testTimeout: 120_000 });

let upstream: Upstream;
beforeAll(async () => {
  upstream = await startUpstream({ listsApart: true });
});
afterAll(() => upstream[Symbol.asyncDispose]());

/** The credential that the upstream was given last. */
function credentialSeen(): string {
  const headers = upstream.requests.at(-1)?.rawHeaders ?? [];
  return headers[headers.findIndex((name) => name.toLowerCase() === "authorization") + 1] ?? "";
}

/** The lines of one text that the other has not. */
function linesOnlyIn(text: string, other: string): string[] {
  const there = new Set(other.split("\n"));
  return text.split("\n").filter((line) => !there.has(line));
}

test("[S8] [S16] a value that a rotation could not open is put back from a backup, alone, and the credential works again", async () => {
  using bench = new ValueBench();
  const [credential, first, second] = [newSecret(), newSecret(), newSecret()];
  let key: string;
  let backup: string;
  {
    await using server = await bench.start();
    await server.addProvider("sim", upstream.baseUrl, credential.expose());
    key = (await server.issueKey("app")).key;
    await initialize(server, first);
    backup = await bench.backup(server, "good.backup");
  }
  const value = `credential/${bench.read("SELECT id FROM credential")}`;
  bench.change(`UPDATE credential ${DAMAGE}`);
  {
    await using server = await bench.unlocked(first);
    expect(await rotate(server, first, second)).toEqual([value]);
    expect(await chat(server, key)).not.toBe(200);
    // Again and again: what does not open keeps the keys that it would open with.
    expect(await rotate(server, second, second)).toEqual([value]);
  }
  const before = bench.text();
  const done = await bench.restore(backup, [value], ["--json"]);
  expect([done.status, done.stderr]).toEqual([EXIT.ok, ""]);
  expect(JSON.parse(done.stdout)).toMatchObject({
    created: expect.stringMatching(/^\d{4}-/),
    server_key: expect.stringMatching(/^[0-9a-f]{16}$/),
    restored: [{ table: "credential", id: value.slice("credential/".length), changed: true }],
  });
  const after = bench.text();
  const changed = [linesOnlyIn(before, after), linesOnlyIn(after, before)];
  expect(changed.map((lines) => lines.map((line) => line.slice(0, 24)))).toEqual([
    ['INSERT INTO "credential"'],
    ['INSERT INTO "credential"'],
  ]);
  const again = await bench.restore(backup, [value]);
  expect([again.status, bench.text()]).toEqual([EXIT.ok, after]);
  expect(again.stdout).toMatch(
    /was the same in the backup of .*\nStart the server, unlock it with its server key \([0-9a-f]{16}\)/,
  );

  await using server = await bench.unlocked(second);
  expect(await rotate(server, second, second)).toEqual([]);
  expect(await chat(server, key)).toBe(200);
  expect(credentialSeen()).toBe(`Bearer ${credential.expose()}`);
  const recorded = `success ${value} of the backup of ${JSON.parse(done.stdout).created}`;
  expect(await restoresRecorded(server)).toEqual([recorded, recorded]);
});

test("[S8] several at once from a backup under a password, without a server key; all of them or none", async () => {
  using bench = new ValueBench();
  const [credential, other, password] = [newSecret(), newSecret(), newSecret()];
  let key: string;
  let backup: string;
  {
    await using server = await bench.start();
    await server.addProvider("sim", upstream.baseUrl, credential.expose());
    const named = { method: "PUT", path: "/api/v1/credentials/main", body: { value: other.expose() } };
    expect((await server.control(named)).status).toBe(204);
    key = (await server.issueKey("app")).key;
    backup = await bench.backup(server, "closed.backup", { password: password.expose() });
  }
  const values = [`credential/${bench.read("SELECT id FROM credential")}`, "named_credential/main"];
  const whole = bench.text();
  for (const table of ["credential", "named_credential"]) bench.change(`UPDATE ${table} ${DAMAGE}`);
  const before = bench.text();
  const input = `${password.expose()}\n`;
  expect((await bench.restore(backup, values, [], `${newSecret().expose()}\n`)).status).toBe(
    EXIT.notPermitted,
  );
  expect((await bench.restore(backup, [...values, "named_credential/mian"], [], input)).status).toBe(
    EXIT.data,
  );
  expect(bench.text()).toBe(before);
  const done = await bench.restore(backup, [...values, ...values], [], input);
  expect([done.status, done.stdout.split("\n")]).toEqual([
    EXIT.ok,
    [
      expect.stringMatching(/^credential\/cred_\w+ is as it was in the backup of /),
      expect.stringMatching(/^named_credential\/main is as it was in the backup of /),
      "Start the server; no server key is set, so it opens by itself.",
      "",
    ],
  ]);
  expect(bench.text()).toBe(whole);
  await using server = await bench.start();
  expect(await chat(server, key)).toBe(200);
  expect(credentialSeen()).toBe(`Bearer ${credential.expose()}`);
  expect((await restoresRecorded(server)).map((record) => record.split(" ")[0])).toEqual([
    "failure",
    "failure",
    "success",
    "success",
  ]);
});

test("[S8] what cannot be put back is refused with what to do about it, and nothing is changed", async () => {
  using bench = new ValueBench();
  const [first, second] = [newSecret(), newSecret()];
  const backups: Record<"early" | "old" | "damaged" | "foreign", string> = {
    early: "",
    old: "",
    damaged: "",
    foreign: "",
  };
  const set = (name: string) => ({
    method: "PUT",
    path: `/api/v1/credentials/${name}`,
    body: { value: newSecret().expose() },
  });
  {
    await using server = await bench.start();
    for (const name of ["main", "spare", "hurt"]) await server.control(set(name));
    await initialize(server, first);
    backups.early = await bench.backup(server, "early.backup");
    expect(await rotate(server, first, second)).toEqual([]);
    backups.old = await bench.backup(server, "old.backup");
    await server.control(set("main"));
    await server.control(set("late"));
    const running = await bench.restore(backups.old, ["named_credential/spare"]);
    expect([running.status, running.stderr]).toEqual([EXIT.tryAgain, expect.stringContaining("Stop it")]);
  }
  bench.change(
    "UPDATE named_credential SET sealed = CAST(x'00' || substr(sealed, 2) AS BLOB) WHERE name = 'hurt'",
  );
  {
    await using server = await bench.unlocked(second);
    backups.damaged = await bench.backup(server, "damaged.backup");
  }
  {
    using other = new ValueBench();
    await using server = await other.start();
    // As many keys later as the store has had, so that the numbers are the same.
    const [one, two] = [newSecret(), newSecret()];
    await initialize(server, one);
    await rotate(server, one, two);
    backups.foreign = await bench.backup(server, "foreign.backup");
  }
  const cut = join(bench.root, "cut.backup");
  writeFileSync(cut, readFileSync(backups.old).subarray(0, -100));
  const before = bench.text();
  const refused = async (file: string, value: string, status: number, says: RegExp, more: string[] = []) => {
    const ended = await bench.restore(file, [value], more);
    expect([value, ended.status, ended.stdout]).toEqual([value, status, ""]);
    expect(ended.stderr).toMatch(says);
    expect(bench.text()).toBe(before);
    expect(existsSync(join(bench.dataDir, "restore"))).toBe(false);
  };
  const { data, usage } = EXIT;
  await refused(
    backups.old,
    "named_credentials/main",
    data,
    /"named_credentials" \(did you mean "named_credential"\?\); nothing/,
  );
  await refused(backups.old, "api_key/key_1", data, /no sealed values are kept in "api_key"/);
  await refused(
    backups.old,
    "named_credential/spar",
    data,
    /no "named_credential\/spar" in this store \(did you mean "spare"\?\)/,
  );
  await refused(
    backups.old,
    "named_credential/late",
    data,
    /no "named_credential\/late" in the backup.*\n.*set anew/,
  );
  await refused(
    backups.old,
    "named_credential/main",
    data,
    /"named_credential\/main" was set anew after the backup/,
  );
  await refused(
    backups.damaged,
    "named_credential/hurt",
    data,
    /is damaged in the backup too.*\n.*an older backup/,
  );
  await refused(
    backups.early,
    "named_credential/spare",
    data,
    /under a key that this store has no more \(term \d+\).*\n.*claviger restore --force FILE/,
  );
  await refused(
    backups.foreign,
    "travelling_secret/API_KEY_SECRET",
    data,
    /under a key that this store has no more/,
  );
  await refused(cut, "named_credential/spare", data, /damaged or was cut short/);
  await refused(backups.old, "named_credential", usage, /A table, a slash and the id/);
  for (const flag of ["--force", "--dry-run", "--revoke-keys"])
    await refused(backups.old, "named_credential/spare", usage, /cannot be used with/, [flag]);

  using empty = new ValueBench();
  const nowhere = await empty.restore(backups.old, ["named_credential/spare"]);
  expect([nowhere.status, readdirSync(empty.root)]).toEqual([data, []]);
  expect(nowhere.stderr).toMatch(/there is no store in .*\n.*--data-dir DIR/);

  await using server = await bench.unlocked(second);
  const recorded = await restoresRecorded(server);
  expect(new Set(recorded)).toEqual(new Set(["failure null"]));
});
