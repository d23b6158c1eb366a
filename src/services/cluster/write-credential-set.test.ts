import { existsSync, mkdirSync, mkdtempDisposableSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { cutBefore } from "#test/cluster/cut-disk.ts";
import { madeUpCredentials } from "#test/cluster-credentials.ts";
import { readCredentials, writeCredentials } from "./credential-files.ts";
import { CREDENTIAL_FILES } from "./credential-set.ts";
import { beginRemoving, finishRemoving, removeCredentialSet } from "./write-credential-set.ts";

const credentials = madeUpCredentials();
const member = { status: "member", credentials };
let place: ReturnType<typeof mkdtempDisposableSync>;
let directory = "";

beforeEach(() => {
  place = mkdtempDisposableSync(join(tmpdir(), "claviger credentials-"));
  directory = join(place.path, "credentials");
});
afterEach(() => place.remove());

test("[N3] [C12] files that are taken away are all there or none, wherever that is cut off; a start ends it", () => {
  const counts = { there: 0, gone: 0 };
  for (let step = 0; ; step++) {
    rmSync(directory, { recursive: true, force: true });
    writeCredentials(directory, credentials);
    try {
      removeCredentialSet(directory, cutBefore(step));
      break;
    } catch {
      const found = readCredentials(directory);
      const isGone = found.status === "none";
      expect(found, `cut before step ${step + 1}`).toEqual(isGone ? { status: "none" } : member);
      counts[isGone ? "gone" : "there"] += 1;
      finishRemoving(directory);
      expect(readCredentials(directory)).toEqual(found);
      if (isGone) expect(readdirSync(directory)).toEqual([]);
    }
  }
  expect(readdirSync(directory)).toEqual([]);
  expect(counts.there).toBe(1);
  expect(counts.gone).toBeGreaterThan(CREDENTIAL_FILES.length);
});

test("[N3] what was begun to be taken away counts again where it is taken back, and is gone for a new member", () => {
  writeCredentials(directory, credentials);
  const takeBack = beginRemoving(directory);
  expect(readCredentials(directory)).toEqual({ status: "none" });
  takeBack();
  expect(readCredentials(directory)).toEqual(member);
  beginRemoving(directory);
  const next = madeUpCredentials();
  writeCredentials(directory, next);
  expect(readCredentials(directory)).toEqual({ status: "member", credentials: next });
});

test("[C12] whatever stands in the place of a file goes too, and no directory is no matter", () => {
  removeCredentialSet(directory);
  expect(existsSync(directory)).toBe(false);
  writeCredentials(directory, credentials);
  rmSync(join(directory, "pin_hash"));
  mkdirSync(join(directory, "pin_hash", "deep"), { recursive: true });
  removeCredentialSet(directory);
  expect(readdirSync(directory)).toEqual([]);
});
