import * as z from "zod";
import type { Caller } from "#platform/http/ports.ts";
import type { RouteContract } from "#platform/http/route.ts";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import { type Clock, toTimestamp } from "#platform/lib/clock.ts";
import type { MemberRecord } from "./members/member-record.ts";
import type { Members } from "./members/open-members.ts";
import { nodeUrl } from "./node-url.ts";

/** The second is what programs of the cluster ask for. */
const PATHS = ["/api/v1/nodes", "/api/nodes"] as const;
const node = z
  .object({
    id: z.string(),
    name: z.string(),
    url: z.string().nullable(),
    version: z.string().describe("Empty for one that this server has not heard since it started."),
    state: z.enum(["up", "down", "needs_pin"]),
    unlocked: z.boolean().describe("As it was heard the last time."),
    models: z.array(z.string()),
    last_seen: z.string().describe("When it was heard the last time, or learnt of."),
  })
  .meta({ id: "Node" });
type NodeRow = z.infer<typeof node>;
const example = {
  id: "node_0123456789abcdef",
  name: "box",
  url: "https://box:8442",
  version: "0.1.0",
  state: "up",
  unlocked: true,
  models: ["openai/gpt-5-mini"],
  last_seen: "2026-01-01T00:00:00.000Z",
} satisfies NodeRow;

/** What this server tells of itself, and what of the others is for whom. */
export interface NodeFacts {
  readonly id: string;
  /** The machine's name. */
  readonly name: string;
  readonly version: string;
  readonly clock: Clock;
  readonly isUnlocked: () => boolean;
  /** Where it listens, in the order of its listeners. */
  readonly urls: () => readonly string[];
  /** The models that this caller is listed, by their whole names. */
  readonly modelsFor: (caller: Caller) => Promise<readonly string[]>;
  /** Whether he is shown a model of another node. */
  readonly mayRead: (caller: Caller, model: string) => boolean;
}

type Nodes = Pick<Members, "roster" | "presence">;

/** `GET /api/v1/nodes`, which is `GET /api/nodes`: the servers of the cluster, this one first, the others by name. */
export function nodesRoute(api: Api, facts: NodeFacts, nodes: Nodes): void {
  for (const path of PATHS)
    api.route({
      method: "GET",
      url: path,
      config: { contract: contract(path) },
      schema: {
        summary: "List the nodes of the cluster: this server first, each with its state and its models.",
        response: { 200: z.object({ data: z.array(node), next_cursor: z.null() }) },
        example: { answer: { data: [example], next_cursor: null } },
      },
      handler: async (request) => {
        const { caller } = exchangeOf(request);
        if (caller === undefined) throw new Error("nodes are for known callers");
        const others = nodes.roster.others().map((record) => rowOf(record, { facts, nodes, caller }));
        return { data: [await ownRow(facts, nodes, caller), ...others], next_cursor: null };
      },
    });
}

function contract(path: string): RouteContract {
  return { method: "GET", path, action: "nodes.read", openWhileLocked: false, family: "api" };
}

async function ownRow(facts: NodeFacts, { roster, presence }: Nodes, caller: Caller): Promise<NodeRow> {
  const own = roster.self();
  const models = [...(await facts.modelsFor(caller))];
  return {
    id: facts.id,
    name: own?.name ?? facts.name,
    url: own?.urls[0] ?? nodeUrl(facts.urls(), facts.name) ?? null,
    version: facts.version,
    state: own === undefined ? "up" : presence.stateOf(facts.id),
    unlocked: facts.isUnlocked(),
    models,
    last_seen: toTimestamp(facts.clock.now()),
  };
}

function rowOf(
  { id, name, urls }: MemberRecord,
  {
    facts,
    nodes: { presence },
    caller,
  }: { readonly facts: NodeFacts; readonly nodes: Nodes; readonly caller: Caller },
): NodeRow {
  const heard = presence.heardOf(id);
  return {
    id,
    name,
    url: urls[0] ?? null,
    version: heard?.version ?? "",
    state: presence.stateOf(id),
    unlocked: heard?.unlocked ?? false,
    models: (heard?.models ?? []).filter((model) => facts.mayRead(caller, model)),
    last_seen: toTimestamp(presence.lastSeenMs(id)),
  };
}
