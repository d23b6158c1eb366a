import { rmSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import * as z from "zod";
import { systemRandom } from "#platform/lib/random.ts";
import { newPin } from "#test/cluster/member.ts";
import type { Network } from "#test/cluster/network.ts";
import { allShow, each, joinTo, makeCluster } from "#test/cluster/network-cluster.ts";
import type { Machine } from "#test/cluster/network-machine.ts";
import { until } from "#test/cluster/network-place.ts";

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const SHOWS_MS = 15_000;
const TRIES = 20;
const pin = newPin();
const key = systemRandom.bytes(18).toString("base64url");
let network: Network;
beforeAll(async () => {
  network = await makeCluster(["alpha", "bravo", "charlie", "delta"], pin);
  for (const machine of network.machines)
    expect((await post(machine, "/api/v1/key/initialize", { key })).status).toBe(200);
});
afterAll(() => network[Symbol.asyncDispose]());

const post = (machine: Machine, path: string, body?: unknown) =>
  machine.ask({ method: "POST", path, ...(body === undefined ? {} : { body }) });
const up = () => each("up", network.machines);
const token = (machine: Machine) => machine.file("credentials/pin_derived_key");
const isUnlocked = async (machine: Machine) => {
  const { json } = await machine.ask({ path: "/api/v1/key/status" });
  return z.object({ unlocked: z.boolean() }).parse(json).unlocked;
};
const lockAnswer = z.object({
  data: z.array(z.object({ name: z.string(), locked: z.boolean(), reason: z.string().nullable() })),
});

/** Locks the fleet from a machine; of each node whether it is locked, or the reason that it is not. */
async function lockFrom(machine: Machine): Promise<Record<string, true | string | null>> {
  const { json, status, text } = await post(machine, "/api/v1/cluster/lock");
  expect(status, text).toBe(200);
  return Object.fromEntries(
    lockAnswer.parse(json).data.map(({ name, locked, reason }) => [name, locked || reason]),
  );
}

async function unlockEach(): Promise<void> {
  for (const machine of network.machines)
    expect((await post(machine, "/api/v1/key/unlock", { key })).status).toBe(200);
}

async function unlockAll(): Promise<void> {
  await unlockEach();
  await allShow(network.machines, up(), SHOWS_MS);
}

test("[C14] one call locks a fleet, and says of each whether it is locked, and who could not be reached", async () => {
  const delta = network.at("delta");
  await allShow(network.machines, up(), SHOWS_MS);
  await network.cut(delta);
  expect(await lockFrom(network.at("alpha"))).toEqual({
    ...{ alpha: true, bravo: true, charlie: true },
    delta: "unreachable",
  });
  expect(await Promise.all(network.machines.map(isUnlocked))).toEqual([false, false, false, true]);
  await network.restore(delta);
  await unlockAll();
});

test("[C11] a server that shows another key is not spoken with until it joins again, and its changed key is told of", async () => {
  const [alpha, bravo, charlie] = [network.at("alpha"), network.at("bravo"), network.at("charlie")];
  await charlie.kill();
  rmSync(path.join(charlie.home, ".claviger", "etc", "certs"), { recursive: true });
  await charlie.serve();
  await unlockEach();
  const changed = /"name":"charlie","reason":"node_key_changed"/;
  const told = async () => changed.test(alpha.logged()) && changed.test(bravo.logged());
  await until("others tell of the changed key", SHOWS_MS, told);
  await allShow([alpha, bravo], { ...up(), charlie: "down" }, SHOWS_MS);
  expect(await lockFrom(alpha)).toMatchObject({ bravo: true, charlie: "unreachable" });
  expect(await isUnlocked(charlie)).toBe(true);
  await unlockEach();
  expect((await alpha.claviger(["cluster", "open"])).status).toBe(0);
  await joinTo(charlie, alpha, pin);
  expect(await lockFrom(bravo)).toMatchObject({ alpha: true, charlie: true });
  await unlockAll();
});

test("[C9] [C2] a new PIN goes to all that are reached; one that was away needs it, and comes back when it is typed there", async () => {
  const delta = network.at("delta");
  const next = newPin();
  const before = token(delta);
  await network.cut(delta);
  const reset = await network.at("bravo").claviger(["reset-pin", "--propagate"], `${next}\n`);
  expect([reset.status, reset.stdout], reset.stderr).toEqual([75, expect.stringContaining("delta")]);
  const tokens = network.machines.map(token);
  expect(new Set(tokens.slice(0, 3)).size).toBe(1);
  expect([tokens[0] === before, tokens[3]]).toEqual([false, before]);
  await network.restore(delta);
  const reached = network.machines.filter((machine) => machine !== delta);
  await allShow(reached, { ...up(), delta: "needs_pin" }, SHOWS_MS);
  expect((await delta.claviger(["reset-pin"], `${next}\n`)).status).toBe(0);
  await allShow(network.machines, up(), SHOWS_MS);
  expect(token(delta)).toBe(tokens[0]);
});

test("[C9] halves that were given different PINs do not take each other for members, and are one again when the same is typed in each", async () => {
  const halves = [network.machines.slice(0, 2), network.machines.slice(2)];
  const resetIn = async (half: readonly Machine[], typed: string) =>
    await half[0]?.claviger(["reset-pin", "--propagate"], `${typed}\n`);
  await network.partition(...(halves[1] ?? []));
  for (const half of halves) {
    const others = network.machines.filter((machine) => !half.includes(machine));
    await allShow(half, { ...up(), ...each("down", others) }, SHOWS_MS);
    expect((await resetIn(half, newPin()))?.status).toBe(75);
    expect(new Set(half.map(token)).size).toBe(1);
  }
  expect(new Set(network.machines.map(token)).size).toBe(2);
  await network.heal();
  for (const half of halves) {
    const others = network.machines.filter((machine) => !half.includes(machine));
    await allShow(half, { ...up(), ...each("needs_pin", others) }, SHOWS_MS);
  }
  const same = newPin();
  expect((await resetIn(halves[0] ?? [], same))?.stdout).toContain("charlie has not: its PIN is none that");
  expect((await resetIn(halves[1] ?? [], same))?.stdout).toContain("delta has the new PIN");
  expect(new Set(network.machines.map(token)).size).toBe(1);
  await allShow(network.machines, up(), SHOWS_MS);
});

test("[C5] members that reach no other answer floor(20/N) tries each, and 20 over all; who opens joining gives 20 again, on whichever member", async () => {
  const members = [...network.machines];
  const outsider = await network.add("mallory");
  await outsider.serve();
  const tries = async (member: Machine): Promise<number> => {
    for (let tried = 0; tried <= TRIES; tried += 1) {
      const { status, json, text } = await post(outsider, "/api/v1/cluster/join", {
        url: member.url,
        pin: newPin(),
      });
      const code = z.object({ code: z.string() }).parse(json).code;
      if (code === "joining_closed") return tried;
      expect([status, code], text).toEqual([403, "wrong_pin"]);
    }
    return TRIES + 1;
  };
  await allShow(members, each("up", members), SHOWS_MS);
  const open = async (member: Machine) => expect((await member.claviger(["cluster", "open"])).status).toBe(0);
  await open(network.at("charlie"));
  await allShow(members, each("up", members), SHOWS_MS);
  const answered: number[] = [];
  for (const member of members) {
    await network.heal();
    await network.partition(outsider, member);
    answered.push(await tries(member));
  }
  expect(answered).toEqual(members.map(() => Math.floor(TRIES / members.length)));
  await network.heal();
  expect(await tries(network.at("alpha"))).toBe(0);
  await allShow(members, each("up", members), SHOWS_MS);
  await open(network.at("delta"));
  expect(await tries(network.at("alpha"))).toBe(TRIES);
});
