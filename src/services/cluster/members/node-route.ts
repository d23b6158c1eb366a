import type { FastifyRequest } from "fastify";
import type { RouteContract } from "#platform/http/route.ts";
import { exchangeOf } from "#platform/http/server.ts";

/** The node that asks, in the handler of a node's route; `hasPin`: it proved this server's PIN. */
export function callerNode(request: FastifyRequest): { readonly id: string; readonly hasPin: boolean } {
  const { caller } = exchangeOf(request);
  if (caller?.kind !== "node") throw new Error("a node's route was entered by somebody else");
  return caller;
}

/**
 * A route that only other nodes of the cluster may ask, also while this server is locked: `greet` those whose PIN is
 * another too, `member` only those that proved this server's.
 */
export function nodeContract(path: `/cluster/${string}`, needs: "greet" | "member"): RouteContract {
  return { method: "POST", path, action: `cluster.${needs}`, openWhileLocked: true, family: "node" };
}
