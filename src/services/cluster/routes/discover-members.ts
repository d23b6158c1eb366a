import * as z from "zod";
import type { Api } from "#platform/http/server.ts";
import { AppError } from "#platform/lib/error.ts";
import { type FoundMember, findMembers } from "../find-members.ts";
import { clusterContract } from "./cluster-shape.ts";

const PATH = "/api/v1/cluster/discover";
const member = z
  .object({ name: z.string(), url: z.string() })
  .meta({ id: "FoundMember", description: "What a stranger says of himself, until a join proves it." });
const OFF = "The setting mdns is off: this server asks no network. Name the member's address.";

/**
 * `GET /api/v1/cluster/discover`: the members that this server hears within 3 seconds; 503 `discovery_failed` where it
 * hears nothing at all, or may not ask.
 */
export function discoverMembersRoute(api: Api, mayAskNetwork: boolean): void {
  let looking: Promise<readonly FoundMember[]> | undefined;
  api.route({
    method: "GET",
    url: PATH,
    config: { contract: clusterContract("GET", PATH, "cluster.manage") },
    schema: {
      summary: "List the members that this server hears on its local networks within 3 seconds.",
      response: { 200: z.object({ data: z.array(member), next_cursor: z.null() }) },
      example: {
        answer: { data: [{ name: "box", url: "https://192.168.1.20:8442" }], next_cursor: null },
      },
      errors: ["discovery_failed"],
    },
    handler: async () => {
      if (!mayAskNetwork) throw new AppError("discovery_failed", OFF);
      // Whoever asks meanwhile hears with the first: the network is asked once.
      looking ??= look().finally(() => {
        looking = undefined;
      });
      return { data: [...(await looking)], next_cursor: null };
    },
  });
}

async function look(): Promise<readonly FoundMember[]> {
  const { found, silent } = await findMembers();
  if (silent === undefined) return found;
  throw new AppError("discovery_failed", `No member can be heard: ${silent}. Name the member's address.`);
}
