import { expect, vi } from "vitest";
import { startClaviger, type TestClaviger, type TestOptions } from "#test/claviger.ts";
import { joinBy, newPin, openToMembers } from "./member.ts";
import { dataOf } from "./member-calls.ts";

export interface Fleet extends AsyncDisposable {
  readonly pin: string;
  /** Where others join, of each node. */
  readonly urls: readonly string[];
  readonly nodes: readonly TestClaviger[];
  /** Of the node of this number. */
  at(index: number): TestClaviger;
}

/** So many servers in one cluster, each of which knows all others and hears them. */
export async function startFleet(size: number, options: TestOptions = {}): Promise<Fleet> {
  await using undo = new AsyncDisposableStack();
  const pin = newPin();
  const nodes: TestClaviger[] = [];
  const urls: string[] = [];
  for (let index = 0; index < size; index += 1) {
    const node = undo.use(await startClaviger(options));
    urls.push(await openToMembers(node));
    nodes.push(node);
    const [first = ""] = urls;
    const init = { method: "POST", path: "/api/v1/cluster/init", body: { pin } };
    const { status, text } = await (index === 0 ? node.control(init) : joinBy(node, first, pin));
    if (status !== 201) throw new Error(`node ${index} is no member: ${text}`);
  }
  for (const node of nodes) await statesCome(node, Array(size).fill("up"));
  const running = undo.move();
  return {
    ...{ pin, urls, nodes },
    at: (index) => nodes[index] ?? expect.fail(`no node ${index}`),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** The nodes as one of them lists them: itself first, then by name. */
export async function nodesOf(node: TestClaviger): Promise<readonly Record<string, unknown>[]> {
  return dataOf(await node.control({ path: "/api/v1/nodes" })).map((row) => ({ ...Object(row) }));
}

/** Settles when a node lists itself and the others in these states. */
export function statesCome(node: TestClaviger, states: readonly string[]): Promise<void> {
  const look = async () =>
    expect((await nodesOf(node)).map(({ state }) => state).toSorted()).toEqual(states.toSorted());
  return vi.waitFor(look, { timeout: 30_000, interval: 50 });
}

/** The id of a node. */
export async function idOf(node: TestClaviger): Promise<string> {
  const [own] = await nodesOf(node);
  return String(own?.id);
}

/** What a server's audit log has of an action. */
export async function auditOf(
  node: TestClaviger,
  action: string,
): Promise<readonly Record<string, unknown>[]> {
  return dataOf(await node.control({ path: `/api/v1/audit?action=${action}` })).map((row) => ({
    ...Object(row),
  }));
}
