import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { newPin } from "#test/cluster/member.ts";
import type { Network } from "#test/cluster/network.ts";
import { found, packets, readCapture } from "#test/cluster/network-capture.ts";
import { allShow, each, joinTo, makeCluster } from "#test/cluster/network-cluster.ts";
import { until } from "#test/cluster/network-place.ts";
import { secretsOf } from "#test/cluster/network-secrets.ts";

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

/** What the product promises for a dead node, with what the looking itself takes. */
const DEATH_SHOWS_MS = 15_000;
const COMES_BACK_MS = 15_000;
const SESSIONS = 10;
const pin = newPin();
let network: Network;
beforeAll(async () => {
  network = await makeCluster(["alpha", "bravo", "charlie", "delta", "echo"], pin);
});
afterAll(() => network[Symbol.asyncDispose]());

const up = () => each("up", network.machines);
const token = (name: string) => network.at(name).file("credentials/pin_derived_key");

test("[C7] five servers that joined one see each other, whoever they joined by", async () => {
  await allShow(network.machines, up(), COMES_BACK_MS);
});

test("[C7] a server that is killed shows as down at every other within 15 s, and as up again when it was started, without a join", async () => {
  const delta = network.at("delta");
  const others = network.machines.filter((machine) => machine !== delta);
  await delta.kill();
  await allShow(others, { ...up(), delta: "down" }, DEATH_SHOWS_MS);
  await delta.serve();
  await allShow(network.machines, up(), COMES_BACK_MS);
});

test("[C7] two halves show each other as down; when they are one again all know who joined one of them meanwhile", async () => {
  const half = [network.at("delta"), network.at("echo")];
  const rest = network.machines.filter((machine) => !half.includes(machine));
  await network.partition(...half);
  await Promise.all([
    allShow(half, { ...up(), ...each("down", rest) }, DEATH_SHOWS_MS),
    allShow(rest, { ...up(), ...each("down", half) }, DEATH_SHOWS_MS),
  ]);
  const foxtrot = await network.add("foxtrot");
  await foxtrot.serve();
  await joinTo(foxtrot, network.at("alpha"), pin);
  await network.heal();
  await allShow(network.machines, up(), COMES_BACK_MS);
  expect(token("foxtrot")).toBe(token("echo"));
});

test("[C7] a node whose cable is pulled shows as down and comes back with it, and its clock, years ahead, does no harm", async () => {
  const charlie = network.at("charlie");
  const others = network.machines.filter((machine) => machine !== charlie);
  await network.cut(charlie);
  await allShow(others, { ...up(), charlie: "down" }, DEATH_SHOWS_MS);
  await charlie.kill();
  charlie.setClock("+5y");
  await charlie.serve();
  await network.restore(charlie);
  await allShow(network.machines, up(), COMES_BACK_MS);
  expect(Number(charlie.logged().match(/"time":"(\d{4})/)?.[1])).toBeGreaterThan(
    new Date().getFullYear() + 3,
  );
});

/** The client's random bytes of every connection whose keys are there (SSLKEYLOGFILE). */
function sessionsIn(keyLog: string): Buffer[] {
  const text = existsSync(keyLog) ? readFileSync(keyLog, "utf8") : "";
  return [...text.matchAll(/^CLIENT_TRAFFIC_SECRET_0 (\w+)/gm)].map(([, random = ""]) =>
    Buffer.from(random, "hex"),
  );
}

test("[N7] [C3] what servers of a cluster send goes to members' port 8442 and nowhere else, and who has the keys of a connection reads no secret there", async () => {
  const recording = path.join(network.directory, "members.pcapng");
  const keyLog = path.join(network.directory, "tls-keys");
  await using capture = await network.capture(recording);
  const [alpha, bravo] = [network.at("alpha"), network.at("bravo")];
  await bravo.kill();
  await allShow([alpha], { ...up(), bravo: "down" }, DEATH_SHOWS_MS);
  bravo.environment = { NODE_OPTIONS: `--tls-keylog=${keyLog}` };
  await bravo.serve();
  await allShow(network.machines, up(), COMES_BACK_MS);
  // Packets are written down in their order: the first of these connections are there whole.
  await until("several connections of its are recorded", 30_000, async () => {
    const recorded = readFileSync(recording);
    return sessionsIn(keyLog).filter((random) => recorded.includes(random)).length >= SESSIONS;
  });
  await capture.end("SIGINT");
  expect(await packets(recording, "tcp.port == 8442")).toBeGreaterThan(100);
  // Members are announced while joining is open; by the others the kernel finds neighbours, routers and groups.
  const known = "tcp.port == 8442 || mdns || arp || icmpv6 || igmp";
  expect(await packets(recording, `!(${known})`)).toBe(0);
  const { recorded, carried, decrypted } = await readCapture(recording, keyLog);
  const greeting = Buffer.from("POST /cluster/heartbeat");
  expect(found(decrypted, { greeting })).toEqual(["greeting as bytes"]);
  expect(found([recorded, ...carried, ...decrypted], secretsOf(pin, alpha, bravo))).toEqual([]);
});
