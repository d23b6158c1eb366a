import { hostname } from "node:os";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import * as z from "zod";
import { EXIT } from "#cli/exit-codes.ts";
import type { RunningProgram } from "./running-program.ts";
import type { Place } from "./two-networks.ts";

export const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const SERVER = fileURLToPath(new URL("./discovery-child.ts", import.meta.url));
export const MULTICAST = fileURLToPath(new URL("./multicast-child.ts", import.meta.url));
/** What `cluster discover` says of a server at 10.99.7.1. */
export const FOUND = [{ name: hostname().replaceAll(".", "-"), url: "https://10.99.7.1:8442" }];

const readyLine = z.object({ pin: z.string(), secrets: z.array(z.string()), dataDir: z.string() });

/** The configuration of a server that others can reach. */
export function yamlOf({ listen = "0.0.0.0:8442", auth = "[keys, cluster]", mdns = "joining" } = {}): string {
  const lan = `{ resource_type: HttpServer, listen_addr: "${listen}", auth: ${auth}, tls: auto }`;
  return `settings: { mdns: ${mdns} }\nresources: { lan: ${lan} }\n`;
}

/** Starts a server there, with `init` in a cluster of its own, and gives what only it should know. */
export async function startServer(place: Place, yaml = yamlOf(), init = "") {
  const program = place.start([SERVER, yaml, init]);
  const [, text = ""] = await program.hears(/ready (.*)\n/);
  return { program, ...readyLine.parse(JSON.parse(text)) };
}

/** The members that the command hears there. */
export async function discover(place: Place): Promise<unknown> {
  const { status, stdout } = await place.run([MAIN, "cluster", "discover", "--json"]);
  expect(status).toBe(EXIT.ok);
  return JSON.parse(stdout);
}

/** What arrives at this end of the link. */
export async function listenAt(
  place: Place,
): Promise<AsyncDisposable & { heard(from: Place): Buffer[]; program: RunningProgram }> {
  const program = place.start([MULTICAST, "hear", place.address]);
  await program.hears(/hearing/);
  const heard = ({ address }: Place) =>
    [...program.said().matchAll(/^(\S+) (\S+)$/gm)]
      .filter(([, from]) => from === address)
      .map(([, , bytes = ""]) => Buffer.from(bytes, "base64"));
  return { heard, program, [Symbol.asyncDispose]: () => program[Symbol.asyncDispose]() };
}

/** What has a program send these packets to the group, so many times, from ADDRESS:PORT. */
export function wordsToSay(from: string, times: number, packets: readonly Buffer[]): string[] {
  return [MULTICAST, "say", from, String(times), ...packets.map((packet) => packet.toString("base64"))];
}
