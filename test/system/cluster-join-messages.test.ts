import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { AppError } from "#platform/lib/error.ts";
import { Secret } from "#platform/lib/secret.ts";
import { openGrant } from "#services/cluster/join/grant.ts";
import { memberProof } from "#services/cluster/join/key-schedule.ts";
import { JOIN_TRIES } from "#services/cluster/join/shares.ts";
import { registerPin } from "#services/cluster/opaque.ts";
import { firstMessage, lastMessage } from "#test/cluster/hand-joiner.ts";
import { type JoinBench, nothing, openJoinBench, outcome, required } from "#test/cluster/join-bench.ts";

let bench: JoinBench;
beforeAll(async () => {
  bench = await openJoinBench(77);
});
beforeEach(async () => {
  await bench.restart();
  await bench.budget.reopen(nothing);
});
afterAll(() => bench[Symbol.asyncDispose]());

test("[C3] the right PIN brings salt, epoch, iterations, pepper and the registration, with the member's proof", async () => {
  const { last, given } = await bench.joinWhole();
  const grant = Buffer.from(given.grant, "base64url");
  const proof = Buffer.from(last.body.confirm, "base64url");
  const expected = memberProof(last.keys, { transcript: last.transcript, joinerProof: proof, grant });
  expect(given.confirm).toBe(expected.toString("base64url"));
  const { salt, epoch, pinGeneration, iterations, pepper, opaque } = bench.credentials;
  const opened = openGrant(last.keys.grant, last.transcript, grant);
  const members = [expect.objectContaining({ name: "by-hand", left: false })];
  expect(opened).toEqual({ salt, epoch, pinGeneration, iterations, pepper, opaque, members });
  expect(opened.pepper.expose()).toBe(pepper.expose());
  expect(opened.opaque.serverSetup.expose()).toBe(opaque.serverSetup.expose());
  expect(() => openGrant(last.keys.grant, Buffer.alloc(32), grant)).toThrow();
});

test("[C3] wrong PIN, unknown run, tampered message, replayed run: the same words, and nothing given", async () => {
  const { last: recorded } = await bench.joinWhole();
  const flip = (text: string) => `${text[0] === "A" ? "B" : "A"}${text.slice(1)}`;
  type Last = { run_id: string; finish: string; node: string; confirm: string };
  const forgeries: Record<string, (own: Last) => Last> = {
    "unknown run": (own) => ({ ...own, run_id: flip(own.run_id) }),
    "tampered finish": (own) => ({ ...own, finish: flip(own.finish) }),
    "tampered proof": (own) => ({ ...own, confirm: flip(own.confirm) }),
    "tampered node": (own) => ({ ...own, node: flip(own.node) }),
    "no proof": (own) => ({ ...own, confirm: "" }),
    "no messages": (own) => ({ ...own, finish: "", confirm: "" }),
    "recorded messages": (own) => ({ ...recorded.body, run_id: own.run_id }),
    "recorded run": () => recorded.body,
  };
  const words = new Set<string>();
  for (const [name, forge] of Object.entries(forgeries)) {
    const last = await bench.beginWhole();
    const refused = await bench.responder.finish(forge(last.body), nothing).catch((error: unknown) => error);
    expect(refused, name).toMatchObject({ code: "wrong_pin" });
    if (refused instanceof AppError) words.add(refused.message);
    bench.responder.endRun();
  }
  expect(words.size).toBe(1);
});

test("[C3] each message and both public keys are part of what is confirmed", async () => {
  const { pin, random, responder } = bench;
  const others = { tls_key: random.bytes(32).toString("base64url"), node_key: "AAAA" };
  for (const [field, value] of Object.entries(others)) {
    const { first, answered } = await bench.begin();
    const seen = { ...first, body: { ...first.body, [field]: value } };
    const last = required(await lastMessage(pin, seen, answered));
    expect(await outcome(responder.finish(last.body, nothing)), field).toBe("wrong_pin");
  }
  const { first, answered } = await bench.begin();
  const elsewhere = { ...answered, cluster_id: "cluster_0000000000000002" };
  const last = required(await lastMessage(pin, first, elsewhere));
  expect(await outcome(responder.finish(last.body, nothing))).toBe("wrong_pin");
});

test("[C3] a joiner who saw another certificate is told so, and no run is spent", async () => {
  const { pin, random, responder, tlsKey } = bench;
  const { body } = await firstMessage(pin, random.bytes(32).toString("base64url"));
  for (let time = 0; time < JOIN_TRIES + 1; time += 1) {
    expect(await outcome(responder.start({ ...body, version: 1 }))).toBe("tls_intercepted");
    const senseless = { ...body, tls_key: tlsKey, request: "AAAA", version: 1 } as const;
    expect(await outcome(responder.start(senseless))).toBe("bad_request");
  }
  await bench.joinWhole();
});

test("[C6] without a cluster, and after its PIN was changed meanwhile, nothing is given", async () => {
  const { credentials, responder } = bench;
  const last = await bench.beginWhole();
  const opaque = await registerPin(new Secret(`${bench.pin}1`), credentials.clusterId);
  bench.state = { status: "member", credentials: { ...credentials, opaque } };
  expect(await outcome(responder.finish(last.body, nothing))).toBe("wrong_pin");
  bench.state = { status: "none" };
  expect(await outcome(bench.begin())).toBe("cluster_closed");
  expect(() => responder.requireOpen()).toThrow(expect.objectContaining({ code: "cluster_closed" }));
  bench.state = { status: "member", credentials };
});
