import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { newPin } from "#test/cluster/member.ts";
import { Network } from "#test/cluster/network.ts";
import { found, readCapture } from "#test/cluster/network-capture.ts";
import type { Machine } from "#test/cluster/network-machine.ts";
import { until } from "#test/cluster/network-place.ts";
import { secretsOf } from "#test/cluster/network-secrets.ts";
import { requiredTool } from "./required-tool.ts";

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const pin = newPin();
let network: Network;
beforeAll(async () => {
  network = await Network.make(["alpha", "bravo", "charlie"]);
  await Promise.all(network.machines.map((machine) => machine.serve()));
});
afterAll(() => network[Symbol.asyncDispose]());

const join = (joiner: Machine, url: string, typed = pin) =>
  joiner.claviger(["cluster", "join", url], `${typed}\n`);
const JOIN_TRIES = 20;
const TOKEN = "credentials/pin_derived_key";

/** Sends a value without TLS, in several spellings; gives the value. */
async function sendInClear(machine: Machine, to: string): Promise<Buffer> {
  const planted = randomBytes(32);
  const file = path.join(machine.home, "planted");
  const base64 = Buffer.concat([Buffer.alloc(1), planted]).toString("base64");
  writeFileSync(
    file,
    Buffer.concat([Buffer.alloc(1250), planted, Buffer.from(base64 + planted.toString("hex"))]),
  );
  const options = ["-sS", "-m", "5", "-H", "Expect:", "--data-binary", `@${file}`];
  await machine.run([requiredTool("curl"), ...options, to.replace("https:", "http:")]);
  return planted;
}

test("[C3] [C4] [C5] over a network servers join by IPv4 and IPv6, 3 is a wrong PIN, 4 a closed door, and a recording that is decrypted has no secret", async () => {
  const [alpha, bravo, charlie] = [network.at("alpha"), network.at("bravo"), network.at("charlie")];
  const keyLog = path.join(network.directory, "tls-keys");
  const recording = path.join(network.directory, "join.pcapng");
  await bravo.kill();
  bravo.environment = { NODE_OPTIONS: `--tls-keylog=${keyLog}` };
  await bravo.serve();
  expect((await alpha.claviger(["cluster", "init"], `${pin}\n`)).status).toBe(0);
  await using capture = await network.capture(recording);
  expect((await join(bravo, alpha.url6, newPin())).status).toBe(3);
  const joined = await join(bravo, alpha.url6);
  expect([joined.status, joined.stderr]).toEqual([0, ""]);
  const planted = await sendInClear(bravo, alpha.url);
  // Packets are written down in their order.
  await until("the recording has what was sent last", 30_000, async () =>
    readFileSync(recording).includes(planted.toString("hex")),
  );
  await capture.end("SIGINT");
  const { recorded, carried, decrypted } = await readCapture(recording, keyLog);
  const read = [recorded, ...carried, ...decrypted];
  expect(found(carried, { planted })).toEqual(
    expect.arrayContaining(["planted as bytes", "planted as hex", "planted as base64 1"]),
  );
  const messages = { first: Buffer.from('{"version":1,"request"'), last: Buffer.from('"confirm":"') };
  expect(found(decrypted, messages)).toEqual(["first as bytes", "last as bytes"]);
  expect(found([recorded, ...carried], messages)).toEqual([]);
  expect(found(read, secretsOf(pin, alpha, bravo))).toEqual([]);
  // One try is spent: the first PIN was wrong.
  for (let tried = 1; tried < JOIN_TRIES; tried += 1) {
    const body = { url: bravo.url, pin: newPin() };
    const { json } = await charlie.ask({ method: "POST", path: "/api/v1/cluster/join", body });
    expect(json, `try ${tried}`).toMatchObject({ code: "wrong_pin" });
  }
  expect((await join(charlie, alpha.url)).status).toBe(4);
  expect((await alpha.claviger(["cluster", "open"])).status).toBe(0);
  expect((await join(charlie, alpha.url)).status).toBe(0);
  expect(charlie.file(TOKEN)).toBe(alpha.file(TOKEN));
});
