import * as z from "zod";
import { Network } from "./network.ts";
import type { Machine } from "./network-machine.ts";
import { until } from "./network-place.ts";

const nodes = z.object({ data: z.array(z.object({ id: z.string(), name: z.string(), state: z.string() })) });

/** Servers on machines of these names, all in one cluster: the first began it. */
export async function makeCluster(names: readonly string[], pin: string): Promise<Network> {
  const network = await Network.make(names);
  try {
    await Promise.all(network.machines.map((machine) => machine.serve()));
    const [first, ...others] = network.machines;
    if (first === undefined) throw new Error("a cluster without a machine");
    done(await first.claviger(["cluster", "init"], `${pin}\n`));
    for (const joiner of others) await joinTo(joiner, first, pin);
    return network;
  } catch (error) {
    await network[Symbol.asyncDispose]();
    throw error;
  }
}

/** Has a server join by a member's address. Throws what it said where it did not. */
export async function joinTo(joiner: Machine, member: Machine, pin: string): Promise<void> {
  done(await joiner.claviger(["cluster", "join", member.url], `${pin}\n`));
}

/** Settles when all of these show these states and no other node; gives how long that took, in ms. */
export async function allShow(
  machines: readonly Machine[],
  states: Readonly<Record<string, string>>,
  mostMs: number,
): Promise<number> {
  let last = "";
  const look = async () => {
    const seen = await Promise.all(machines.map(statesAt));
    last = machines.map(({ name }, at) => `${name}: ${JSON.stringify(seen[at])}`).join("\n");
    return seen.every((one) => textOf(one) === textOf(states));
  };
  return await until("the states", mostMs, look).catch((error: unknown) => {
    throw new Error(`${textOf(states)} is not what they show:\n${last}`, { cause: error });
  });
}

/** The state of these, all the same, as `allShow` takes them. */
export function each(state: string, machines: readonly Machine[]): Record<string, string> {
  return Object.fromEntries(machines.map(({ name }) => [name, state]));
}

/** The state of every node as one machine shows it: name -> state. */
async function statesAt(machine: Machine): Promise<Record<string, string>> {
  const { json } = await machine.ask({ path: "/api/v1/nodes?limit=100" });
  const { data } = nodes.parse(json);
  return Object.fromEntries(data.map(({ name, state }) => [name, state]));
}

function textOf(states: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(states).sort());
}

function done({ status, stderr }: { readonly status: number | null; readonly stderr: string }): void {
  if (status !== 0) throw new Error(`exit status ${status}: ${stderr}`);
}
