import { once } from "node:events";
import { mkdtempDisposableSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { permissionSets } from "#gates/access/index.ts";
import { openAuditRecorder } from "#gates/audit/index.ts";
import { attachIdentities, createIdentityMemory } from "#identity/declared/index.ts";
import { GrantWriter } from "#identity/keys/grants.ts";
import { generateApiKey, type IssuedKeys, type KeyMemory, openIssuedKeys } from "#identity/keys/index.ts";
import { keyDigest } from "#identity/keys/key-digest.ts";
import { createKeyMemory } from "#identity/keys/key-memory.ts";
import { KeyWriter } from "#identity/keys/key-writer.ts";
import { resourceName } from "#platform/lib/resource-name.ts";
import { Secret } from "#platform/lib/secret.ts";
import { openSqlite } from "#platform/storage/sqlite.ts";
import { MemberDigest } from "#services/cluster/index.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { listenerPolicy } from "#test/listener-policy.ts";
import { seededRandom } from "#test/seeded-random.ts";
import { createGates } from "../../src/app/gates.ts";
import { attachLimits, createLimitsMemory } from "../../src/app/limits.ts";
import { SetsInForce } from "../../src/app/sets-in-force.ts";
import { createTalk, type Question, takeText, tell, waitForTurn } from "./key-talk.ts";

const BY = { principal: { kind: "local" }, address: null, requestId: "req_1" } as const;
const { sets } = permissionSets({});
const random = seededRandom(9);
const secret = random.bytes(32).toString("hex");

/** A second thread, attached to `memory`. Between `say` and `hear` both run; nothing is ever sent to it. */
async function startThread(memory: KeyMemory) {
  const talk = createTalk();
  const worker = new Worker(new URL("./key-thread.ts", import.meta.url), {
    workerData: { memory, secret, talk },
  });
  await once(worker, "online");
  const say = (question: Question) => tell(talk, "thread", question);
  const hear = (): unknown => {
    waitForTurn(talk, "test");
    return JSON.parse(takeText(talk));
  };
  const ask = (question: Question) => {
    say(question);
    return hear();
  };
  const end = async () => {
    tell(talk, "thread", "end");
    await once(worker, "exit");
  };
  return { say, hear, ask, [Symbol.asyncDispose]: end };
}

/** Keys on a store of their own. */
async function openKeys(clock: FakeClock) {
  const all = new AsyncDisposableStack();
  const directory = all.use(mkdtempDisposableSync(join(tmpdir(), "claviger-key-threads-")));
  const database = all.use(await openSqlite({ dataDir: directory.path, clock }));
  const audit = openAuditRecorder({ database, clock });
  const keys = await openIssuedKeys({ database, clock, random, secret: new Secret(secret), audit });
  return { keys, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

const issue = (keys: IssuedKeys, name: string, limits = {}) =>
  keys.create({ name: resourceName.parse(name), permissions: ["gateway"], limits, by: BY }, sets);

test("[I11] another thread knows a key issued after it began, and refuses it at once when it is revoked", async () => {
  await using opened = await openKeys(new FakeClock());
  const { keys } = opened;
  await using thread = await startThread(keys.memory);
  const before = await issue(keys, "before");
  const { id, key } = await issue(keys, "after", { concurrency: 7 });
  const asked = { op: "authenticate", text: key.expose() } as const;
  const known = { id, slot: 1, permissionSets: ["gateway"], limits: { concurrency: 7 } };
  expect(thread.ask(asked)).toEqual({ ok: true, key: known });
  expect(thread.ask({ op: "use", slot: 1, nowMs: 0 })).toEqual({ holds: true, limits: { concurrency: 7 } });
  // Not awaited: what revokes is memory, neither the store nor a message that waits for this thread to be idle.
  const revoking = keys.revoke(id, BY);
  expect(thread.ask(asked)).toEqual({ ok: false, reason: "revoked" });
  expect(thread.ask({ op: "use", slot: 1, nowMs: 0 })).toMatchObject({ holds: false });
  expect(thread.ask({ op: "authenticate", text: before.key.expose() })).toMatchObject({ ok: true });
  expect(await revoking).toEqual({ recorded: true });
});

test("[I10] a use in another thread is shown at once and written with the others", async () => {
  const clock = new FakeClock();
  await using opened = await openKeys(clock);
  const { keys } = opened;
  await using thread = await startThread(keys.memory);
  const { id } = await issue(keys, "web");
  thread.ask({ op: "use", slot: 0, nowMs: clock.now() + 5_999 });
  expect((await keys.find(id))?.last_used_at).toBe("2026-01-01T00:00:05.000Z");
  clock.advance(10_000);
  await keys.flush();
  const [row] = (await keys.list({ limit: 1, cursor: undefined })).data;
  expect(row).toMatchObject({ id, last_used_at: "2026-01-01T00:00:05.000Z" });
});

test("[I10] a thread that looks while keys are added finds each whole or not at all", async () => {
  const memory = createKeyMemory(0, 4096);
  await using thread = await startThread(memory);
  const digest = keyDigest(new Secret(secret));
  const made = Array.from({ length: 4096 }, () => generateApiKey(random));
  const grantOf = (number: number) => ({ permissionSets: [`set-${number}`.repeat(8)], limits: {} });
  expect(thread.ask({ op: "authenticate", text: "" })).toEqual({ ok: false, reason: "missing" });
  thread.say({ op: "await", texts: made.map(({ key }) => key.expose()) });
  const [writer, grants] = [new KeyWriter(memory), new GrantWriter(memory.grants)];
  made.forEach(({ id, key }, number) => {
    const grant = grants.numberOf(grantOf(number));
    writer.add({ digest: digest(key.expose()), publicId: id, grant, revoked: number % 5 === 0, usedAtS: 0 });
    // Slower than the thread looks, so that it is there, looking for this very key, while it is being added.
    for (const until = performance.now() + 0.03; performance.now() < until; );
  });
  expect(thread.hear()).toEqual(
    made.map(({ id }, slot) =>
      slot % 5 === 0
        ? { ok: false, reason: "revoked" }
        : { ok: true, key: { id: `key_${id}`, slot, ...grantOf(slot) } },
    ),
  );
});

test("[I11] a caller let in before may act until his key, and no other, is revoked", async () => {
  const clock = new FakeClock();
  await using opened = await openKeys(clock);
  const { keys } = opened;
  const gates = createGates({
    lock: { isLocked: () => false },
    keys: keys.reader,
    identities: attachIdentities(createIdentityMemory(2), { clock, random: seededRandom(2) }),
    members: new MemberDigest(),
    sets: new SetsInForce({}),
    limits: attachLimits(createLimitsMemory({ principals: 2, threads: 1, random: seededRandom(1) }), 0),
  });
  const { key } = await issue(keys, "stays");
  const { id } = await issue(keys, "goes", { requests_per_minute: 3 });
  const stays = gates.authenticator.authenticate(key.expose(), {
    address: null,
    listener: listenerPolicy(),
    time: 0,
    head: undefined,
  });
  const goes = { caller: { kind: "key", id, permissionSets: ["gateway"], slot: 1 } } as const;
  if (!("caller" in stays)) throw new Error("a key that is in force was refused");
  expect([stays, goes].map(({ caller }) => gates.authenticator.holds(caller))).toEqual([true, true]);
  const limits = [stays, goes].map(({ caller }) => gates.callerLimits.begin(caller, 0)?.left.requests?.limit);
  expect(limits).toEqual([undefined, 3]);
  await keys.revoke(id, BY);
  expect([stays, goes].map(({ caller }) => gates.authenticator.holds(caller))).toEqual([true, false]);
  expect(gates.authenticator.holds({ kind: "local" })).toBe(true);
});
