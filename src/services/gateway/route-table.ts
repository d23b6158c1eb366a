import type { IncomingHttpHeaders } from "node:http";
import type { RouteContract } from "#platform/http/route.ts";
import { anthropic } from "./dialects/anthropic.ts";
import type { Dialect } from "./dialects/dialect.ts";
import { openai } from "./dialects/openai.ts";
import { readPublishedPath } from "./http-api/published-path.ts";
import { HTTP_API_CONTRACTS } from "./http-api/routes.ts";
import { type Forwarding, GATEWAY_ROUTES, type GatewayRoute } from "./own-routes.ts";

export interface MatchedRoute extends GatewayRoute {
  /** What the client put in the place of the braces, as it was sent. */
  readonly rest: string;
}

/** Every route of the gateway, those of published APIs too. */
export const GATEWAY_CONTRACTS: readonly RouteContract[] = [
  ...GATEWAY_ROUTES.map(({ contract }) => contract),
  ...HTTP_API_CONTRACTS,
];

/** By path, of which each has one. */
const EXACT: ReadonlyMap<string, MatchedRoute> = new Map(
  GATEWAY_ROUTES.filter(({ contract: { path } }) => !path.endsWith("}")).map((route) => [
    route.contract.path,
    { ...route, rest: "" },
  ]),
);
const OPEN_ENDED = GATEWAY_ROUTES.filter(({ contract: { path } }) => path.endsWith("}")).map((route) => ({
  route,
  prefix: route.contract.path.slice(0, route.contract.path.lastIndexOf("{")),
}));
/** An operation goes into the upstream's path: nothing that could climb out of it. */
const OPERATION = /^[a-z][a-z0-9_-]{0,63}$/;

/** The route of a request; `path` is without its query. What both dialects have is answered in the one asked for. */
export function matchRoute(
  method: string,
  path: string,
  headers: IncomingHttpHeaders,
): MatchedRoute | undefined {
  const found = routeOf(method, path);
  if (found?.work.kind !== "models" && found?.work.kind !== "model") return found;
  return { ...found, dialect: dialectAskedFor(path, headers) };
}

/**
 * In whose shape a client reads the model list, and the refusal of a path nobody declared: every Anthropic client sends
 * `anthropic-version`.
 */
export function dialectAskedFor(path: string, headers: IncomingHttpHeaders): Dialect {
  const isAnthropic = headers["anthropic-version"] !== undefined || /^\/v1\/messages(\/|$)/.test(path);
  return isAnthropic ? anthropic : openai;
}

function routeOf(method: string, path: string): MatchedRoute | undefined {
  const exact = EXACT.get(path);
  if (exact?.contract.method === method) return exact;
  if (path.startsWith("/x/")) return httpApiRoute(method, path);
  for (const { route, prefix } of OPEN_ENDED) {
    if (route.contract.method !== method || !path.startsWith(prefix)) continue;
    const rest = path.slice(prefix.length);
    if (route.work.kind === "forward" ? OPERATION.test(rest) : rest !== "") return { ...route, rest };
  }
  return undefined;
}

function httpApiRoute(method: string, path: string): MatchedRoute | undefined {
  const published = readPublishedPath(path);
  const contract = HTTP_API_CONTRACTS.find((known) => known.method === method);
  if (published === undefined || contract === undefined) return undefined;
  const work = { kind: "http-api", path: published } as const;
  return { contract, dialect: openai, work, rest: published.rest };
}

/** Where a matched route lies below an upstream's base URL, `/v1` left out. */
export function upstreamPath(route: MatchedRoute): string {
  const path = route.contract.path.slice("/v1".length);
  return path.endsWith("}") ? path.slice(0, path.lastIndexOf("{")) + route.rest : path;
}

/** What of the client's query goes on to the upstream, with its question mark; a query may hold anything, so little. */
export function upstreamQuery(how: Forwarding, url: string): string {
  const mark = url.indexOf("?");
  if (mark < 0 || how.flags.length === 0) return "";
  const given = new URLSearchParams(url.slice(mark + 1));
  const kept = how.flags.filter((flag) => given.get(flag) === "true").map((flag) => `${flag}=true`);
  return kept.length === 0 ? "" : `?${kept.join("&")}`;
}
