import { afterAll, beforeAll, expect, test } from "vitest";
import { JOIN_TRIES, JOINING_OPEN_MS } from "#services/cluster/join/shares.ts";
import { type Answer, startClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { newToken } from "./cluster-files.ts";
import { Guesser, pinsByPopularity } from "./guesser.ts";
import { connectByHand, type HandNode, handCredential, sendByHand } from "./hand-node.ts";
import { joinBy, nodeKeyOf, tokenOf } from "./member.ts";
import { allSay, type Joined, openJoining, seeEachOther, startThree, targetOf } from "./three-members.ts";

const BURST = 100;
/** So long that runs which were left end by themselves, and so short that joining is open after all guesses. */
const BURST_MS = 8000;
const PIN = "7392";
/** No member hears of it later. */
const SLOWEST_MS = 30_000;
const isClosed = (untilMs: number) => untilMs === 0;
const DIGEST = "A".repeat(43);
const GREETING = {
  presence: { version: "1", unlocked: true, models_digest: DIGEST, epoch: 1, pin_generation: 1 },
  list_digest: DIGEST,
};

const clock = new FakeClock();
const guesser = new Guesser();
let members: Joined[] = [];
beforeAll(async () => {
  members = await startThree(PIN, { clock });
}, 60_000);
afterAll(async () => {
  guesser[Symbol.dispose]();
  for (const { claviger } of members) await claviger[Symbol.asyncDispose]();
});

test("[C5] who joined meanwhile lets others join with a try of another's, and alone lets nobody", async () => {
  const three = await startThree(PIN, { clock, workers: 2 });
  const [first, second, third] = three;
  if (first === undefined || second === undefined || third === undefined)
    throw new Error("there are not three");
  await using fourth = await startClaviger({ clock });
  expect((await joinBy(fourth, second.url, PIN)).status).toBe(201);
  await first.claviger[Symbol.asyncDispose]();
  await second.claviger[Symbol.asyncDispose]();
  expect(await guessAll([third], pinsByPopularity().slice(0, 300))).toBe(0);
  await using fifth = await startClaviger({ clock });
  expect((await joinBy(fifth, third.url, PIN)).json).toMatchObject({ code: "joining_closed" });
  await third.claviger[Symbol.asyncDispose]();
}, 60_000);

test("[C5] 10,000 PINs against three members from many addresses, in bursts and over restarts, are answered 20 times", async () => {
  await openAnew(0);
  const answered = await guessAll(members, pinsByPopularity(), {
    isLeft: (burst) => burst % 2 === 1,
    afterBurst: async (burst) => {
      if (burst % 12 === 11) await restart(burst % 3);
    },
  });
  expect(answered).toBe(JOIN_TRIES);
  await allSay(members, isClosed);
}, 600_000);

test("[C5] whoever opens, on any member, gives 20 again to all together, and then not even the PIN is heard", async () => {
  for (const opener of [1, 2]) {
    await openAnew(opener);
    expect(await guessAll(members, pinsByPopularity().slice(0, 1000))).toBe(JOIN_TRIES);
    await allSay(members, isClosed);
  }
  await using joiner = await startClaviger({ clock });
  expect((await joinBy(joiner, at(2).url, PIN)).json).toMatchObject({ code: "joining_closed" });
}, 120_000);

test("[C5] of joining nobody tells and nobody asks who is no member with this PIN", async () => {
  await openAnew(0);
  const [callee, own] = [await handNodeOf(at(0)), await handNodeOf(at(1))];
  const stranger = { ...own, token: newToken() };
  const term = { opener: own.id, members: [], open_ms: 900_000, held: 0 };
  const call = async (node: HandNode, path: string, body: unknown) => {
    const connection = await connectByHand(at(0).url);
    const headers = { authorization: handCredential(node, callee.id, connection) };
    return await sendByHand(connection, path, { headers, body: JSON.stringify(body) });
  };
  const ask = (node: HandNode) =>
    call(node, "/cluster/budget", { term: { ...term, number: 1 }, wants: false });
  const greet = (node: HandNode, number: number) =>
    call(node, "/cluster/heartbeat", { ...GREETING, joining: { ...term, number } });
  expect(await ask(own)).toMatchObject({ status: 200, json: { given: false } });
  expect(await ask(stranger)).toMatchObject({ status: 403, json: { code: "needs_pin" } });
  expect((await greet(stranger, 1000)).status).toBe(200);
  expect(await ask(own)).toMatchObject({ json: { term: { number: expect.toSatisfy((now) => now < 1000) } } });
  expect((await greet(own, 1000)).status).toBe(200);
  expect(await ask(own)).toMatchObject({ json: { term: { number: 1000, held: 0 } } });
  await allSay(members, isClosed);
  await openAnew(2);
}, 60_000);

test("[C5] a member that reaches no other answers its share of the 20, as often as it is opened, and no more", async () => {
  await openAnew(0);
  const [opener, alone] = [at(0), at(1)];
  await at(2).claviger.app.close();
  await opener.claviger.app.close();
  for (const _ of [1, 2]) {
    expect(await guessAll([alone], pinsByPopularity().slice(0, 1000))).toBe(Math.floor(JOIN_TRIES / 3));
    expect(await openJoining(alone)).toBe(200);
  }
  await using joiner = await startClaviger({ clock });
  expect((await joinBy(joiner, alone.url, PIN)).status).toBe(201);
}, 120_000);

/** Has a member opened, and waits until all have heard of it. */
async function openAnew(opener: number): Promise<void> {
  // So that this opening is known from the one before.
  clock.advance(2 * SLOWEST_MS);
  expect(await openJoining(at(opener))).toBe(200);
  const untilMs = clock.now() + JOINING_OPEN_MS;
  await allSay(members, (saidMs) => saidMs > untilMs - SLOWEST_MS);
}

async function handNodeOf({ claviger }: Joined): Promise<HandNode> {
  const [info, cluster] = await Promise.all(
    ["/api/v1/info", "/api/v1/cluster"].map((path) => claviger.control({ path })),
  );
  const textOf = (answer: Answer | undefined, name: string) =>
    String(Object.getOwnPropertyDescriptor(answer?.json, name)?.value);
  return {
    id: textOf(info, "node_id"),
    clusterId: textOf(cluster, "cluster_id"),
    nodeKey: nodeKeyOf(claviger),
    token: tokenOf(claviger).trim(),
  };
}

interface Attack {
  /** Whether who guesses leaves before the last message. */
  readonly isLeft?: (burst: number) => boolean;
  readonly afterBurst?: (burst: number) => Promise<void>;
}

/** How many of these guesses were answered. */
async function guessAll(
  targets: readonly Joined[],
  pins: readonly string[],
  attack: Attack = {},
): Promise<number> {
  const { isLeft = () => false, afterBurst = async () => {} } = attack;
  let answered = 0;
  for (let burst = 0; burst * BURST < pins.length; burst += 1) {
    const some = pins.slice(burst * BURST, (burst + 1) * BURST);
    const guesses = some.map((pin, guess) => guessOne(atOf(targets, guess), pin, isLeft(burst)));
    answered += (await Promise.all(guesses)).filter((isAnswered) => isAnswered).length;
    await afterBurst(burst);
    clock.advance(BURST_MS);
  }
  return answered;
}

async function guessOne(target: Joined, pin: string, isLeft: boolean): Promise<boolean> {
  const { status, runId } = await guesser.guess(target, pin);
  if (runId !== undefined && !isLeft) await guesser.giveUp(target, runId);
  return status === 200;
}

function at(number: number): Joined {
  return atOf(members, number);
}

function atOf(targets: readonly Joined[], number: number): Joined {
  const member = targets[number % targets.length];
  if (member === undefined) throw new Error("there is nobody");
  return member;
}

async function restart(number: number): Promise<void> {
  const { dataDir, app } = at(number).claviger;
  await app.close();
  members[number] = await targetOf(await startClaviger({ dataDir, clock }));
  await seeEachOther(members);
}
