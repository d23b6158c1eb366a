import { vi } from "vitest";
import { startClaviger, type TestClaviger, type TestOptions } from "#test/claviger.ts";
import { joinBy, openToMembers, startMember } from "./member.ts";
import { dataOf } from "./member-calls.ts";

/** A row of the list of nodes. */
export interface NodeRow {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly unlocked: boolean;
  readonly models: readonly string[];
}

/** A server of a cluster on loopback, and where its members come in. */
export interface FleetMember {
  readonly claviger: TestClaviger;
  readonly url: string;
}

/** Starts one that joins the cluster of another. */
export async function startJoined(
  member: FleetMember,
  pin: string,
  options: TestOptions = {},
): Promise<FleetMember> {
  await openJoining(member);
  const claviger = await startClaviger(options);
  const url = await openToMembers(claviger);
  const { status, text } = await joinBy(claviger, member.url, pin);
  if (status !== 201) throw new Error(`not joined: ${text}`);
  return { claviger, url };
}

/** So many servers of one cluster. */
export async function startFleet(
  pin: string,
  options: readonly TestOptions[],
): Promise<{ readonly members: readonly FleetMember[] } & AsyncDisposable> {
  const stack = new AsyncDisposableStack();
  const [own = {}, ...others] = options;
  const first = await startMember(pin, own);
  stack.use(first.claviger);
  const members: FleetMember[] = [first];
  for (const each of others) {
    const joined = await startJoined(first, pin, each);
    stack.use(joined.claviger);
    members.push(joined);
  }
  return { members, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

export async function openJoining({ claviger }: Pick<FleetMember, "claviger">): Promise<void> {
  await claviger.control({ method: "POST", path: "/api/v1/cluster/open" });
}

/** The list as this server has it now. */
export async function nodesOf({ claviger }: Pick<FleetMember, "claviger">): Promise<NodeRow[]> {
  return dataOf(await claviger.control({ path: "/api/v1/nodes" })).map(readRow);
}

/** Settles when the list is as `check` wants it; throws what `check` throws if it never is. */
export async function nodesCome(
  member: Pick<FleetMember, "claviger">,
  check: (rows: NodeRow[]) => void,
): Promise<void> {
  const look = async () => check(await nodesOf(member));
  await vi.waitFor(look, { timeout: 15_000, interval: 20 });
}

function readRow(row: unknown): NodeRow {
  const field = (name: string): unknown => Object.getOwnPropertyDescriptor(row, name)?.value;
  return {
    id: String(field("id")),
    name: String(field("name")),
    state: String(field("state")),
    unlocked: field("unlocked") === true,
    models: [field("models")].flat().map(String),
  };
}
