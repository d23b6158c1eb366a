import * as z from "zod";
import type { PeerDialler } from "#platform/egress/peer-dialler.ts";
import { authorOf } from "#platform/http/exchange.ts";
import { type Api, exchangeOf } from "#platform/http/server.ts";
import { AppError } from "#platform/lib/error.ts";
import type { Query } from "#platform/storage/database.ts";
import type { Cluster } from "../../cluster.ts";
import type { Roster } from "../../members/roster.ts";
import { parsePin } from "../../pin.ts";
import { clusterAnswer, clusterContract, clusterShape, OPEN_CLUSTER } from "../../routes/cluster-shape.ts";
import { askToJoin } from "../joiner.ts";
import { parseMemberUrl } from "../member-url.ts";

const PATH = "/api/v1/cluster/join";
const LONGEST_URL = 300;
const body = z
  .strictObject({
    url: z.string().max(LONGEST_URL).describe("Where a member is: https, without a path."),
    pin: z.string("a PIN is a text of digits"),
  })
  .meta({ id: "ClusterToJoin" });

const ERRORS = [
  "pin_refused",
  "wrong_pin",
  "joining_closed",
  "join_busy",
  "join_version",
  "tls_intercepted",
  "cluster_exists",
  "cluster_closed",
  "cluster_full",
  "node_exists",
  "rate_limited",
  "egress_denied",
  "upstream_failed",
  "upstream_unreachable",
  "upstream_timeout",
  "storage_full",
] as const;

/** `POST /api/v1/cluster/join`: 201 with the files of a member written; 403 `wrong_pin` or `joining_closed`, and nothing changed. */
export function joinClusterRoute(
  api: Api,
  {
    cluster,
    dialler,
    roster,
  }: {
    readonly cluster: Cluster;
    readonly dialler: PeerDialler;
    readonly roster: Pick<Roster, "toAdmit" | "take" | "load" | "self">;
  },
): void {
  api.route({
    method: "POST",
    url: PATH,
    config: { contract: clusterContract("POST", PATH, "cluster.manage", "cluster.join") },
    schema: {
      summary: "Have this server join the cluster of another, with the PIN.",
      body,
      response: { 201: clusterShape },
      example: {
        body: { url: "https://192.168.1.20:8442", pin: "739264" },
        answer: { ...OPEN_CLUSTER, joining_open_until: null, tries_left: null },
      },
      errors: ERRORS,
    },
    handler: async (request, reply) => {
      // Before anything is asked of anybody: no run is to be wasted.
      const kept = cluster.kept();
      const { url, pin } = readBody(request.body);
      const recordOf = (nodeKey: string) => roster.toAdmit(nodeKey);
      const { credentials, members } = await askToJoin({ url, pin, dialler, kept, recordOf });
      const { clusterId } = credentials;
      const take = (query: Query) => roster.take(query, clusterId, members);
      await cluster.adopt(credentials, authorOf(exchangeOf(request)), take);
      await roster.load();
      // What the members know of joining is heard with their next greeting.
      const closed = { openUntilMs: () => undefined, triesLeft: () => 0 };
      const told = { ...closed, joinUrls: () => roster.self()?.urls ?? [] };
      return reply.code(201).send(clusterAnswer({ status: "member", credentials }, told));
    },
  });
}

function readBody(given: z.infer<typeof body>) {
  const url = parseMemberUrl(given.url);
  if (url === undefined)
    throw new AppError("bad_request", "A member's URL is https://HOST:PORT, without a path.");
  const parsed = parsePin(given.pin);
  if (!parsed.ok) throw new AppError("pin_refused", parsed.reason);
  return { url, pin: parsed.pin };
}
