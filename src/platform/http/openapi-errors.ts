import * as z from "zod";
import { ERRORS, type ErrorCode } from "../lib/error.ts";
import type { JsonObject, OpenApiSchemas } from "./openapi-schemas.ts";
import { OPEN, type RouteContract } from "./route.ts";

const requestId = z
  .string()
  .describe("Names the request in the server's logs, as the header x-request-id does.");
const problem = z
  .object({
    type: z.literal("about:blank"),
    title: z.string(),
    status: z.int().min(400).max(599),
    detail: z.string(),
    code: z.string().describe("Stable: what a program decides by."),
    request_id: requestId,
  })
  .meta({ id: "Problem", description: "An error outside the gateway (RFC 9457)." });
const openAiError = z
  .object({
    error: z.object({
      message: z.string(),
      type: z.string(),
      param: z.string().nullable(),
      code: z.string(),
    }),
  })
  .meta({ id: "OpenAiError", description: "An error as the clients of OpenAI's API read it." });
const anthropicError = z
  .object({
    type: z.literal("error"),
    error: z.object({
      type: z.string(),
      message: z.string(),
      details: z.object({ error_code: z.string() }),
    }),
    request_id: requestId,
  })
  .meta({ id: "AnthropicError", description: "An error as the clients of Anthropic's API read it." });

/** What decides which errors a route can answer with. */
export interface ErrorFacts {
  readonly contract: RouteContract;
  /** Names in its path. */
  readonly hasName: boolean;
  readonly hasBody: boolean;
  readonly hasQuery: boolean;
  /** What its handler throws beside what follows from the rest. */
  readonly more: readonly ErrorCode[];
}

/** The error answers of a route, by status: every code it may bear, in the shape its callers read. */
export function errorResponses(facts: ErrorFacts, schemas: OpenApiSchemas): JsonObject {
  const byStatus = Map.groupBy(codesOf(facts), (code) => ERRORS[code].status);
  const { schema, mediaType } = shapeOf(facts.contract, schemas);
  const responses = [...byStatus].map(([status, codes]) => [
    String(status),
    {
      description: codes.map((code) => `\`${code}\`: ${ERRORS[code].title}`).join(" "),
      headers: { "x-request-id": { $ref: "#/components/headers/RequestId" }, ...headersOf(status) },
      content: { [mediaType]: { schema } },
      "x-claviger-codes": codes,
    },
  ]);
  return Object.fromEntries(responses);
}

/** Every code of a route, in the order of the published table. */
function codesOf({ contract, hasName, hasBody, hasQuery, more }: ErrorFacts): ErrorCode[] {
  const { method, action, family } = contract;
  const isGateway = family === "gateway";
  const changes = method !== "GET" && method !== "HEAD" && !isGateway;
  const codes = new Set<ErrorCode>(["bad_request", "request_timeout", "wrong_host", "header_too_large"]);
  const add = (holds: boolean, ...further: ErrorCode[]) => {
    for (const code of further) if (holds) codes.add(code);
  };
  add(true, "internal", "shutting_down", ...more);
  add(family !== "probe", "cross_origin");
  add(
    action !== OPEN,
    "credential_conflict",
    "credential_in_url",
    "invalid_token",
    "forbidden",
    "rate_limited",
  );
  add(
    action !== OPEN && family === "api" && contract.beforePasswordChange !== true,
    "password_change_required",
  );
  add(contract.asksPasswordAgain === true, "reauthenticate");
  add(contract.openWhileLocked !== true, "server_locked");
  add(family === "node", "cluster_closed", "not_found");
  add(family === "node" && action !== "cluster.greet", "needs_pin");
  add(hasName, "not_found");
  add(hasBody || changes, "body_too_large", "unsupported_media_type");
  add((hasBody && !isGateway) || hasQuery, "unknown_field");
  add(changes, "storage_full");
  add(isGateway && hasName, "model_not_found");
  add(isGateway && action === "gateway.use", ...FORWARDING);
  add(contract.path.endsWith("*"), "method_not_allowed", "upgrade_not_supported");
  return [...codes].sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b));
}

const ORDER = Object.keys(ERRORS);

/** What passing a request on adds. */
const FORWARDING: readonly ErrorCode[] = [
  "model_not_found",
  "wrong_dialect",
  "quota_exhausted",
  "upstream_unreachable",
  "upstream_failed",
  "upstream_credential_rejected",
  "credential_missing",
  "egress_denied",
  "upstream_timeout",
];

function shapeOf({ described, family }: RouteContract, schemas: OpenApiSchemas) {
  const shape = { openai: openAiError, anthropic: anthropicError };
  const known = (described?.dialects ?? []).map((dialect) => schemas.of(shape[dialect], "output"));
  const [only, ...others] = known;
  if (family !== "gateway" || only === undefined)
    return { schema: schemas.of(problem, "output"), mediaType: "application/problem+json" };
  return { schema: others.length === 0 ? only : { anyOf: known }, mediaType: "application/json" };
}

function headersOf(status: number): JsonObject {
  if (status === 401) return { "www-authenticate": { schema: { type: "string" } } };
  if (status === 429 || status === 503) return { "retry-after": { $ref: "#/components/headers/RetryAfter" } };
  return {};
}
