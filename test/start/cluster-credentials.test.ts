import { execFileSync } from "node:child_process";
import {
  chmodSync,
  lstatSync,
  mkdtempDisposableSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { expect, test } from "vitest";
import { readCredentials, writeCredentials } from "../../src/services/cluster/credential-files.ts";
import { realDisk } from "../../src/services/cluster/write-credential-set.ts";
import { startClaviger, type TestClaviger } from "../claviger.ts";
import { freshPin, madeUpCredentials } from "../cluster-credentials.ts";
import { startUpstream } from "../upstream.ts";

const directoryOf = (dataDir: string) => join(dataDir, "etc", "credentials");
const stateOf = async (claviger: TestClaviger) => (await claviger.control({ path: "/api/v1/cluster" })).json;
const init = (claviger: TestClaviger, pin: unknown) =>
  claviger.control({ method: "POST", path: "/api/v1/cluster/init", body: { pin } });
const inCluster = (id: string, epoch = 1) => ({
  status: "member",
  cluster_id: id,
  epoch,
  joining_open_until: null,
  tries_left: null,
  join_urls: [],
});
const UNJOINED = { cluster_id: null, epoch: null, joining_open_until: null, tries_left: null, join_urls: [] };
const NONE = { status: "none", ...UNJOINED };
const CLOSED = { status: "closed", ...UNJOINED };

/** Settles when the server says so of its cluster. */
async function untilState(claviger: TestClaviger, state: object): Promise<void> {
  while (!isDeepStrictEqual(await stateOf(claviger), state)) await nextTurn();
}

test("[C1] [C2] [C4] [C15] a server begins a cluster once, by a PIN that is none of those refused, and it is audited", async () => {
  await using claviger = await startClaviger();
  expect(await stateOf(claviger)).toEqual(NONE);
  const refused = await init(claviger, "2580");
  expect([refused.status, refused.json]).toEqual([
    400,
    expect.objectContaining({ code: "pin_refused", detail: expect.stringContaining("250 commonest") }),
  ]);
  expect((await init(claviger, 739264)).status).toBe(400);
  expect(await stateOf(claviger)).toEqual(NONE);
  const pin = freshPin();
  // At once: one of them begins it.
  const answers = await Promise.all([init(claviger, pin.expose()), init(claviger, freshPin().expose())]);
  expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409]);
  const made = answers.find(({ status }) => status === 201)?.json;
  const open = { joining_open_until: expect.stringMatching(/Z$/), tries_left: 20 };
  expect(made).toEqual({ ...inCluster(String(Object(made).cluster_id)), ...open });
  expect(await stateOf(claviger)).toEqual(made);
  const kept = readCredentials(directoryOf(claviger.dataDir));
  expect(kept).toMatchObject({
    status: "member",
    credentials: { clusterId: Object(made).cluster_id, iterations: 600_000 },
  });
  const { json } = await claviger.control({ path: "/api/v1/audit?action=cluster.init&outcome=success" });
  expect(Object(json).data).toMatchObject([{ actor: "local", target: Object(made).cluster_id }]);
  expect((await init(claviger, "9999")).status).toBe(400);
  const again = await init(claviger, freshPin().expose());
  expect(again.json).toMatchObject({ status: 409, code: "cluster_exists" });
  expect(claviger.logged()).not.toContain(pin.expose());
});

test("[C4] [S4] no cluster is begun while the server is locked", async () => {
  await using claviger = await startClaviger();
  const key = freshPin().expose().repeat(2);
  const post = (path: string, body?: object) => claviger.control({ method: "POST", path, body });
  expect((await post("/api/v1/key/initialize", { key })).status).toBe(200);
  expect((await post("/api/v1/key/lock")).status).toBe(200);
  expect((await init(claviger, freshPin().expose())).json).toMatchObject({
    status: 503,
    code: "server_locked",
  });
  expect((await claviger.control({ path: "/api/v1/cluster" })).status).toBe(503);
});

test("[C9] [C12] files that come, change and go under a running server hold from then on", async () => {
  await using claviger = await startClaviger();
  const directory = directoryOf(claviger.dataDir);
  const [first, second] = [madeUpCredentials(), { ...madeUpCredentials(), epoch: 2 }];
  writeCredentials(directory, first);
  await untilState(claviger, inCluster(first.clusterId));
  writeCredentials(directory, second);
  await untilState(claviger, inCluster(second.clusterId, 2));
  rmSync(directory, { recursive: true });
  await untilState(claviger, NONE);
  writeCredentials(directory, first);
  await untilState(claviger, inCluster(first.clusterId));
});

const REASON = /"reason":"[^"]*etc\/credentials[^"]*; repair: [^"]+","msg":"the cluster's routes are closed/;

/** Each from whole files on. */
const BREAKS: Readonly<Record<string, (directory: string) => void>> = {
  "a file is missing": (directory) => rmSync(join(directory, "pin_hash")),
  "a file is damaged": (directory) => {
    chmodSync(join(directory, "cluster.json"), 0o600);
    truncateSync(join(directory, "cluster.json"), 100);
    chmodSync(join(directory, "cluster.json"), 0o400);
  },
  "others may read a file": (directory) => chmodSync(join(directory, "node.key"), 0o444),
  "nobody may read a file": (directory) => chmodSync(join(directory, "pin_derived_key"), 0),
  "others may enter the directory": (directory) => chmodSync(directory, 0o755),
  "the directory is a link": (directory) => {
    execFileSync("mv", [directory, `${directory}.moved`]);
    symlinkSync(`${directory}.moved`, directory);
  },
  "a file is a pipe": (directory) => {
    rmSync(join(directory, "pin_derived_key"));
    execFileSync("mkfifo", ["-m", "0400", join(directory, "pin_derived_key")]);
  },
};

test("[C12] whatever is wrong with them, the cluster closes with the reason in the log, never opens, and the rest serves, after a start too", async () => {
  using place = mkdtempDisposableSync(join(tmpdir(), "claviger-closed-"));
  const dataDir = join(place.path, "data");
  const directory = directoryOf(dataDir);
  await using upstream = await startUpstream();
  const credentials = madeUpCredentials();
  let key = "";
  const isClosed = async (claviger: TestClaviger, how: string) => {
    expect(await stateOf(claviger), how).toEqual(CLOSED);
    const refused = await init(claviger, freshPin().expose());
    expect(refused.json, how).toMatchObject({ status: 503, code: "cluster_closed" });
    const authorization = `Bearer ${key}`;
    const body = { model: "sim/sim-1", messages: [{ role: "user", content: "hello" }] };
    const call = { method: "POST", path: "/v1/chat/completions", headers: { authorization }, body };
    expect((await claviger.call(call)).status, how).toBe(200);
  };
  {
    await using claviger = await startClaviger({ dataDir });
    ({ key } = await claviger.issueKey("client"));
    await claviger.addProvider("sim", upstream.baseUrl, "credential-of-the-upstream");
    for (const [how, break_] of Object.entries(BREAKS)) {
      writeCredentials(directory, credentials);
      await untilState(claviger, inCluster(credentials.clusterId));
      const told = claviger.logged().length;
      break_(directory);
      await untilState(claviger, CLOSED);
      expect(claviger.logged().slice(told), how).toMatch(REASON);
      await isClosed(claviger, how);
      if (lstatSync(directory).isSymbolicLink()) rmSync(directory);
      else chmodSync(directory, 0o700);
    }
    // Closed again for the next start.
    BREAKS["a file is a pipe"]?.(directory);
  }
  await using again = await startClaviger({ dataDir });
  expect(again.logged()).toMatch(REASON);
  await isClosed(again, "after a start");
});

test("[C12] a writing that was cut off behind its mark is finished by the next start", async () => {
  using place = mkdtempDisposableSync(join(tmpdir(), "claviger-finish-"));
  const dataDir = join(place.path, "data");
  await (await startClaviger({ dataDir })).app.close();
  const directory = directoryOf(dataDir);
  const credentials = madeUpCredentials();
  const stop = () => {
    throw new Error("cut off");
  };
  expect(() => writeCredentials(directory, credentials, { ...realDisk, rename: stop })).toThrow("cut off");
  expect(readdirSync(directory)).toContain(".commit");
  await using claviger = await startClaviger({ dataDir });
  expect(await stateOf(claviger)).toEqual(inCluster(credentials.clusterId));
  expect(readdirSync(directory).toSorted()).toEqual([
    "cluster.json",
    "node.key",
    "pin_derived_key",
    "pin_hash",
  ]);
  const token = readFileSync(join(directory, "pin_derived_key"), "utf8");
  expect(token).toBe(`${credentials.memberToken.expose()}\n`);
});
