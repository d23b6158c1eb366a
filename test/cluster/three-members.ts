import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, vi } from "vitest";
import { startClaviger, type TestClaviger, type TestOptions } from "#test/claviger.ts";
import { addListeners, entryOf, listenerSpec } from "#test/listeners/bench.ts";
import type { Target } from "./guesser.ts";
import { joinBy, startMember, tlsKeyOf } from "./member.ts";

/** A member and where it is joined at. */
export interface Joined extends Target {
  readonly claviger: TestClaviger;
  /** Over IPv4. */
  readonly url: string;
}

/** Three servers of one cluster, which hear of each other. */
export async function startThree(pin: string, options: TestOptions): Promise<Joined[]> {
  const { claviger: first, url } = await startMember(pin, options);
  const all: Joined[] = [await targetOf(first)];
  for (let number = 1; number < 3; number += 1) {
    const claviger = await startClaviger(options);
    all.push(await targetOf(claviger));
    const { status, text } = await joinBy(claviger, url, pin);
    if (status !== 201) throw new Error(`did not join: ${text}`);
  }
  await seeEachOther(all);
  return all;
}

/** Opens a listener to members, over IPv4 and over IPv6. */
export async function targetOf(claviger: TestClaviger): Promise<Joined> {
  const targets = ["127.0.0.1", "::1"].map((host) => ({ host, port: 0 }));
  const own = { targets, tls: { kind: "auto" }, entry: entryOf({ cluster: true }) } as const;
  const urls = await addListeners(claviger, listenerSpec("both", own));
  const certificate = readFileSync(join(claviger.dataDir, "etc", "certs", "claviger.crt"));
  return { claviger, url: urls[0] ?? "", urls, tlsKey: tlsKeyOf(certificate) };
}

/** Settles when each shows all as up. */
export async function seeEachOther(all: readonly Joined[]): Promise<void> {
  const look = async () => {
    for (const { claviger } of all) {
      const { text } = await claviger.control({ path: "/api/v1/nodes" });
      expect(text.match(/"state":"up"/g)).toHaveLength(all.length);
    }
  };
  await vi.waitFor(look, { timeout: 15_000, interval: 50 });
}

/** `claviger cluster open`. */
export async function openJoining({ claviger }: Joined): Promise<number> {
  return (await claviger.control({ method: "POST", path: "/api/v1/cluster/open" })).status;
}

/** Settles when each says of when joining closes what it must; 0 where it is closed. */
export async function allSay(all: readonly Joined[], must: (untilMs: number) => boolean): Promise<void> {
  const look = async () => {
    for (const { claviger } of all) {
      const { json } = await claviger.control({ path: "/api/v1/cluster" });
      const until: unknown = Object.getOwnPropertyDescriptor(json, "joining_open_until")?.value;
      expect(typeof until === "string" ? Date.parse(until) : 0).toSatisfy(must);
    }
  };
  await vi.waitFor(look, { timeout: 15_000, interval: 50 });
}
