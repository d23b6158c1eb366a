import { mkdtempDisposableSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { systemRandom } from "#platform/lib/random.ts";
import { joinedCredentials, newNodeKey } from "#services/cluster/new-credentials.ts";
import {
  type ClusterCredentials,
  readCredentials,
  writeCredentials,
} from "../../src/services/cluster/credential-files.ts";
import { CREDENTIAL_FILES } from "../../src/services/cluster/credential-set.ts";
import { loadOpaque, PIN_STRETCHING } from "../../src/services/cluster/opaque.ts";
import { preparePinReset } from "../../src/services/cluster/reset-pin.ts";
import { freshCredentials, freshPin } from "../cluster-credentials.ts";

const uid = process.geteuid?.() ?? 0;
const pin = freshPin();
let credentials: ClusterCredentials;
let place: ReturnType<typeof mkdtempDisposableSync>;
let directory = "";
beforeAll(async () => {
  credentials = await freshCredentials(pin);
});
beforeEach(() => {
  place = mkdtempDisposableSync(join(tmpdir(), "claviger-credentials-"));
  directory = join(place.path, "credentials");
});
afterEach(() => place.remove());

const at = (name: string) => join(directory, name);

test("[C15] what is made of a PIN is read back, and the PIN is in none of the files", () => {
  writeCredentials(directory, credentials);
  expect(readCredentials(directory)).toEqual({ status: "member", credentials });
  for (const name of CREDENTIAL_FILES)
    expect(readFileSync(at(name), "utf8"), name).not.toContain(pin.expose());
});

test("[C15] with the setup and record of cluster.json a member tells the PIN from others by OPAQUE, before a reset and after", async () => {
  writeCredentials(directory, credentials);
  expect([await opens(pin, directory), await opens(freshPin(), directory)]).toEqual([true, false]);
  const next = freshPin();
  await resetTo(next, directory);
  expect([await opens(pin, directory), await opens(next, directory)]).toEqual([false, true]);
});

/** Whether who has this PIN and a member's answer come to the same session key. */
async function opens(typed: typeof pin, where: string): Promise<boolean> {
  const { client, server } = await loadOpaque();
  const { clusterId, opaque } = readMember(where);
  const password = typed.expose();
  const { clientLoginState, startLoginRequest } = client.startLogin({ password });
  const { serverLoginState, loginResponse } = server.startLogin({
    serverSetup: opaque.serverSetup.expose(),
    userIdentifier: clusterId,
    registrationRecord: opaque.record,
    startLoginRequest,
  });
  const keyStretching = PIN_STRETCHING;
  const done = client.finishLogin({ clientLoginState, loginResponse, password, keyStretching });
  if (done === undefined) return false;
  const { finishLoginRequest, sessionKey } = done;
  return server.finishLogin({ finishLoginRequest, serverLoginState }).sessionKey === sessionKey;
}

test("[C2] one that joins with the same PIN and salt has the same token, one with another PIN has not", async () => {
  const joined = await joinedCredentials(pin, credentials, newNodeKey());
  expect(joined.memberToken.expose()).toBe(credentials.memberToken.expose());
  const other = await joinedCredentials(freshPin(), credentials, newNodeKey());
  expect(other.memberToken.expose()).not.toBe(credentials.memberToken.expose());
});

test("[C9] the same new PIN typed on two members, in any order, gives the same token again; salt, cluster and node keys stay", async () => {
  const second = join(place.path, "second");
  const joined = await joinedCredentials(pin, credentials, newNodeKey());
  writeCredentials(directory, credentials);
  writeCredentials(second, joined);
  const next = freshPin();
  for (const each of [second, directory]) await resetTo(next, each);
  const [one, two] = [readMember(directory), readMember(second)];
  expect(one.memberToken.expose()).toBe(two.memberToken.expose());
  expect(one.memberToken.expose()).not.toBe(credentials.memberToken.expose());
  for (const [now, then] of [
    [one, credentials],
    [two, joined],
  ] as const) {
    expect([now.clusterId, now.epoch, now.salt, now.pepper]).toEqual([
      then.clusterId,
      1,
      then.salt,
      then.pepper,
    ]);
    expect(now.nodeKey.expose()).toBe(then.nodeKey.expose());
    expect(now.opaque.record).not.toBe(then.opaque.record);
  }
});

test("[C9] --new-salt makes another salt, pepper, setup and token of the same PIN, and the next epoch", async () => {
  writeCredentials(directory, credentials);
  await resetTo(pin, directory, true);
  const now = readMember(directory);
  expect([now.clusterId, now.epoch]).toEqual([credentials.clusterId, 2]);
  const secretsOf = ({ salt, pepper, memberToken, opaque }: ClusterCredentials) => [
    salt.toString("hex"),
    pepper.expose(),
    memberToken.expose(),
    opaque.serverSetup.expose(),
  ];
  for (const [at, text] of secretsOf(now).entries()) expect(text).not.toBe(secretsOf(credentials)[at]);
});

test("[C9] [C15] a reset makes missing files anew, and knows the PIN by pin_hash; without cluster.json there is none", async () => {
  writeCredentials(directory, credentials);
  for (const name of ["node.key", "pin_derived_key"]) rmSync(at(name));
  const reset = preparePinReset(directory, uid);
  if (reset.status !== "ready") throw new Error(reset.status);
  expect([await reset.isPin(pin), await reset.isPin(freshPin())]).toEqual([true, false]);
  rmSync(at("pin_hash"));
  await resetTo(pin, directory);
  expect(readMember(directory).memberToken.expose()).toBe(credentials.memberToken.expose());
  rmSync(at("cluster.json"));
  expect(preparePinReset(directory, uid)).toMatchObject({
    status: "closed",
    repair: expect.stringContaining("backup"),
  });
  expect(preparePinReset(join(place.path, "nothing"), uid)).toEqual({ status: "none" });
});

async function resetTo(next: typeof pin, where: string, newSalt = false): Promise<void> {
  const reset = preparePinReset(where, uid);
  if (reset.status !== "ready") throw new Error(reset.status);
  await reset.reset(next, { random: systemRandom, newSalt });
}

function readMember(where: string): ClusterCredentials {
  const found = readCredentials(where);
  if (found.status !== "member") throw new Error(found.status);
  return found.credentials;
}
