import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempDisposableSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { cutBefore } from "#test/cluster/cut-disk.ts";
import { madeUpCredentials } from "#test/cluster-credentials.ts";
import { type ClusterCredentials, readCredentials, writeCredentials } from "./credential-files.ts";
import { CREDENTIAL_FILES } from "./credential-set.ts";
import { finishWriting } from "./write-credential-set.ts";

const uid = process.geteuid?.() ?? 0;
const credentials = madeUpCredentials();
let place: ReturnType<typeof mkdtempDisposableSync>;
let directory = "";
beforeEach(() => {
  place = mkdtempDisposableSync(join(tmpdir(), "claviger credentials-"));
  directory = join(place.path, "credentials");
});
afterEach(() => place.remove());

const at = (name: string) => join(directory, name);
const member = (of: ClusterCredentials) => ({ status: "member", credentials: of });
function rewrite(name: string, text: string): void {
  rmSync(at(name));
  writeFileSync(at(name), text, { mode: 0o400 });
}

test("[N3] [C2] [C15] the four files are written, 0400 in a directory of 0700 whatever the umask, and read back", () => {
  for (const umask of [0, 0o777]) {
    const before = process.umask(umask);
    try {
      rmSync(directory, { recursive: true, force: true });
      writeCredentials(directory, credentials);
    } finally {
      process.umask(before);
    }
    expect(lstatSync(directory).mode & 0o7777).toBe(0o700);
    expect(readdirSync(directory).toSorted()).toEqual(CREDENTIAL_FILES.toSorted());
    for (const name of CREDENTIAL_FILES) expect(lstatSync(at(name)).mode & 0o7777, name).toBe(0o400);
    expect(readCredentials(directory)).toEqual(member(credentials));
  }
});

test("[C2] [C15] what is in the files is what the formats say", () => {
  writeCredentials(directory, credentials);
  const text = (name: string) => readFileSync(at(name), "utf8");
  expect(text("pin_derived_key")).toBe(`${credentials.memberToken.expose()}\n`);
  expect(text("pin_derived_key")).toMatch(/^[A-Za-z0-9_-]{43}\n$/);
  expect(text("pin_hash")).toMatch(/^\$2y\$12\$[./A-Za-z0-9]{53}\n$/);
  expect(text("node.key")).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
  expect(JSON.parse(text("cluster.json"))).toEqual({
    version: 1,
    cluster_id: expect.stringMatching(/^cluster_[A-Za-z0-9]{16}$/),
    salt: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
    epoch: 1,
    pin_generation: 1,
    iterations: 600_000,
    pepper: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
    opaque: { server_setup: expect.any(String), record: expect.any(String) },
  });
});

test("no directory, and one without the files, is no member; neither is closed", () => {
  expect(readCredentials(directory)).toEqual({ status: "none" });
  mkdirSync(directory, { mode: 0o700 });
  expect(readCredentials(directory)).toEqual({ status: "none" });
});

test.each(
  CREDENTIAL_FILES,
)("[C12] %s missing, empty, too long, damaged, a link, a pipe or a directory closes the cluster", (name) => {
  const aside = join(place.path, "aside");
  const whole = () => readFileSync(at(name), "latin1");
  const breaks: Record<string, () => void> = {
    missing: () => rmSync(at(name)),
    empty: () => rewrite(name, ""),
    "too long": () => rewrite(name, whole() + "A".repeat(70_000)),
    "cut off": () => rewrite(name, whole().slice(0, 30)),
    "with more behind it": () => rewrite(name, `${whole()}${whole()}`),
    "a link": () => {
      renameSync(at(name), aside);
      symlinkSync(aside, at(name));
    },
    "a pipe": () => {
      rmSync(at(name));
      execFileSync("mkfifo", ["-m", "0400", at(name)]);
    },
    "a directory": () => {
      rmSync(at(name));
      mkdirSync(at(name), { mode: 0o400 });
    },
  };
  for (const [how, break_] of Object.entries(breaks)) {
    rmSync(directory, { recursive: true, force: true });
    writeCredentials(directory, credentials);
    break_();
    expect(readCredentials(directory), `${name} is ${how}`).toEqual({
      status: "closed",
      reason: expect.stringContaining(at(name)),
      repair: expect.stringMatching(/./),
    });
  }
});

test.each([
  0o000, 0o440, 0o600, 0o444,
])("[C12] a file of mode %o closes the cluster; the repair opens it again", (mode) => {
  for (const name of CREDENTIAL_FILES) {
    writeCredentials(directory, credentials);
    chmodSync(at(name), mode);
    const found = readCredentials(directory);
    expect(found).toMatchObject({ status: "closed", repair: `chmod 0400 '${at(name)}'` });
    execFileSync("/bin/sh", ["-c", found.status === "closed" ? found.repair : "false"]);
    expect(readCredentials(directory)).toEqual(member(credentials));
  }
});

test("[C12] a directory with another mode, a link to one, or a file in its place closes the cluster", () => {
  writeCredentials(directory, credentials);
  for (const mode of [0o750, 0o755, 0o000, 0o500]) {
    chmodSync(directory, mode);
    expect(readCredentials(directory)).toMatchObject({
      status: "closed",
      repair: `chmod 0700 '${directory}'`,
    });
  }
  chmodSync(directory, 0o700);
  const elsewhere = join(place.path, "elsewhere");
  renameSync(directory, elsewhere);
  symlinkSync(elsewhere, directory);
  expect(readCredentials(directory)).toMatchObject({
    status: "closed",
    reason: expect.stringContaining("a symbolic link"),
  });
  rmSync(directory);
  writeFileSync(directory, "", { mode: 0o400 });
  expect(readCredentials(directory)).toMatchObject({ status: "closed" });
});

test.runIf(uid === 0)("[C12] files of another owner close the cluster", () => {
  for (const name of ["", ...CREDENTIAL_FILES]) {
    rmSync(directory, { recursive: true, force: true });
    writeCredentials(directory, credentials);
    chownSync(at(name), 4321, 4321);
    expect(readCredentials(directory)).toMatchObject({
      status: "closed",
      reason: expect.stringContaining("uid 4321"),
    });
  }
});

test("[C12] cluster.json of another version, with a field too much or too few rounds closes the cluster", () => {
  writeCredentials(directory, credentials);
  const right: Record<string, unknown> = JSON.parse(readFileSync(at("cluster.json"), "utf8"));
  for (const wrong of [
    { version: 2 },
    { more: 1 },
    { iterations: 599_999 },
    { epoch: 0 },
    { pin_generation: 0 },
    { salt: "AAAA" },
    { opaque: {} },
  ]) {
    rewrite("cluster.json", JSON.stringify({ ...right, ...wrong }));
    expect(readCredentials(directory), JSON.stringify(wrong)).toMatchObject({ status: "closed" });
  }
  rewrite("cluster.json", JSON.stringify(right));
  expect(readCredentials(directory)).toEqual(member(credentials));
});

/** How many of the cuts left the state before, and how many the one after; anything else fails. */
function cutEverywhere(before: () => void, next: ClusterCredentials, known: unknown) {
  const counts = { before: 0, after: 0 };
  for (let step = 0; ; step++) {
    rmSync(directory, { recursive: true, force: true });
    before();
    try {
      writeCredentials(directory, next, cutBefore(step));
      return counts;
    } catch {
      const found = readCredentials(directory);
      const isAfter = found.status === "member" && found.credentials.pinHash === next.pinHash;
      expect(found, `cut before step ${step + 1}`).toEqual(isAfter ? member(next) : known);
      counts[isAfter ? "after" : "before"] += 1;
      // A start finishes what was decided, and changes nothing of what is read.
      if (existsSync(directory)) finishWriting(directory);
      expect(readCredentials(directory)).toEqual(found);
      if (isAfter) expect(readdirSync(directory).toSorted()).toEqual(CREDENTIAL_FILES.toSorted());
      writeCredentials(directory, next);
      expect(readCredentials(directory)).toEqual(member(next));
    }
  }
}

test("[C12] files that are written are all there or none, wherever the writing is cut off", () => {
  const counts = cutEverywhere(() => {}, credentials, { status: "none" });
  expect(counts.before).toBeGreaterThan(6);
  expect(counts.after).toBeGreaterThan(5);
});

test("[C9] [C12] a reset that is cut off anywhere leaves the old PIN or the new one, never a mixture", () => {
  const next = madeUpCredentials();
  const counts = cutEverywhere(() => writeCredentials(directory, credentials), next, member(credentials));
  expect(counts.before).toBeGreaterThan(6);
  expect(counts.after).toBeGreaterThan(5);
});

test("[C12] [C15] a node key that is none of Ed25519 closes the cluster", () => {
  writeCredentials(directory, credentials);
  const { privateKey } = generateKeyPairSync("x25519");
  rewrite("node.key", privateKey.export({ type: "pkcs8", format: "pem" }).toString());
  expect(readCredentials(directory)).toMatchObject({
    status: "closed",
    reason: expect.stringContaining("node.key"),
  });
});
