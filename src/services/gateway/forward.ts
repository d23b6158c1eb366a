import { authorise, checkBodyHead, checkStillIn } from "#platform/http/pipeline.ts";
import { AppError } from "#platform/lib/error.ts";
import type { Secret } from "#platform/lib/secret.ts";
import type { GatewayCall, GatewayParts } from "./call.ts";
import type { RouteTarget } from "./catalogue.ts";
import { readBody } from "./client-body.ts";
import { upstreamHeaders } from "./headers.ts";
import { readJsonBody } from "./json-body.ts";
import { holdUsage } from "./limits.ts";
import { readMultipartBody } from "./multipart-body.ts";
import type { Forwarding } from "./own-routes.ts";
import { coolDownAfter } from "./providers/cool-down.ts";
import { endpointUrl, factsOf } from "./providers/kind.ts";
import type { Provider } from "./providers/providers.ts";
import { upstreamOptions, withExtraHeaders } from "./providers/upstream-options.ts";
import { redactorFor } from "./redact.ts";
import { Reply } from "./reply.ts";
import type { RequestBody } from "./request-body.ts";
import { type MatchedRoute, upstreamPath, upstreamQuery } from "./route-table.ts";
import { askForUsage } from "./usage/ask-for-usage.ts";
import { UsageMeter } from "./usage/usage-meter.ts";

const MAX_DEPTH = 64;
const LONGEST_MODEL = 512;

/** Passes a request on to the provider its model names. Throws AppError for what is refused before the upstream is asked. */
export async function forward(parts: GatewayParts, call: GatewayCall, how: Forwarding): Promise<void> {
  const { exchange, answer } = call;
  if (exchange.head !== undefined) checkBodyHead(exchange.head, parts.bodyLimitBytes);
  const read = bodyReader(exchange.head?.contentType, how);
  authorise(parts.gates, exchange, "gateway.use");
  const arriving = readBody(call.request, call.response, parts.bodyLimitBytes);
  const body = read(arriving instanceof Promise ? await arriving : arriving);
  checkStillIn(parts.gates, exchange);
  // Waited for only where there is something to wait for: nearly always it is known.
  const found = parts.upstream.catalogue.find(modelOf(body), call.route.dialect.usage);
  const target = found instanceof Promise ? await found : found;
  if (target === undefined) throw new AppError("model_not_found");
  call.target = target;
  authoriseTarget(parts, call, target);
  checkDialect(call, target);
  if (answer.over) return;
  const loading = parts.upstream.prices.ready();
  if (loading !== undefined) await loading;
  const { id, baseUrl } = target.provider;
  const opening = parts.upstream.credentials.resolve(id, baseUrl.origin);
  const credential = opening instanceof Promise ? await opening : opening;
  // Ended while it waited, by the client, a revocation or a lock: nothing goes out.
  if (answer.over) return;
  call.hold = holdUsage(parts, call, { how, target, body: body.bytes });
  send(parts, call, { how, target, credential, body });
}

function send(
  parts: GatewayParts,
  call: GatewayCall,
  what: { how: Forwarding; target: RouteTarget; credential: Secret | undefined; body: RequestBody },
): void {
  const { target, credential, body } = what;
  const bytes = target.model === body.model ? body.bytes : body.withModel(target.model);
  const asking = what.how.tellsUsageWhenAsked && body.stream ? askForUsage(bytes) : undefined;
  const meter = new UsageMeter(call.route.dialect.usage, {
    bytes: bytes.length,
    asked: asking !== undefined,
  });
  call.meter = meter;
  const reply = new Reply({
    answer: call.answer,
    redactor: redactorFor(credential),
    clock: parts.upstream.clock,
    onHead: (status, rawHeaders) => {
      call.hold?.answered(status);
      const { credentials, clock } = parts.upstream;
      coolDownAfter(credentials, credential, { status, rawHeaders }, clock);
    },
    meter,
    target: target.name,
    shape: {
      dialect: call.route.dialect,
      requestId: call.exchange.requestId,
      ending: what.how.ending.ofSeveral?.(body.choices) ?? what.how.ending,
      askedAt: call.exchange.time,
      mustStream: what.how.mustStream && body.stream,
      mustBeJson: what.how.jsonOnly && !body.stream,
    },
  });
  const url = urlOf(call, what);
  const { kind, options } = target.provider;
  const own = upstreamHeaders(call.request.rawHeaders, credential, factsOf(kind));
  const headers = withExtraHeaders(own, options);
  const upstream = upstreamOptions(options);
  const outgoing = { url, method: "POST", headers, body: asking ?? bytes, upstream };
  call.answer.carry(parts.upstream.egress.request(outgoing, reply));
}

/** By provider and the route's path: putting a URL together costs more than all else here. None is ever changed. */
const urls = new WeakMap<Provider, Map<string, URL>>();

function urlOf({ request, route }: GatewayCall, to: { how: Forwarding; target: RouteTarget }): URL {
  const { provider } = to.target;
  const query = upstreamQuery(to.how, request.url ?? "");
  if (query === "" && route.rest === "") return knownUrl(provider, route);
  // What a client chose, a query or an operation, is not remembered: there is no end of it.
  const url = endpointUrl(provider, upstreamPath(route));
  url.search = query;
  return url;
}

function knownUrl(provider: Provider, route: MatchedRoute): URL {
  const known = urls.get(provider) ?? new Map<string, URL>();
  const { path } = route.contract;
  const before = known.get(path);
  if (before !== undefined) return before;
  const url = endpointUrl(provider, upstreamPath(route));
  urls.set(provider, known.set(path, url));
  return url;
}

function bodyReader(contentType: string | undefined, how: Forwarding): (bytes: Buffer) => RequestBody {
  const media = mediaTypeOf(contentType);
  if (media === "application/json") return (bytes) => readJsonBody(bytes, { maxDepth: MAX_DEPTH });
  if (media === "multipart/form-data" && how.bodies.includes("multipart"))
    return (bytes) => readMultipartBody(bytes, contentType ?? "");
  const accepted = how.bodies.includes("multipart") ? " or multipart/form-data" : "";
  throw new AppError("unsupported_media_type", `Send the body as application/json${accepted}.`);
}

function mediaTypeOf(contentType: string | undefined): string | undefined {
  // As nearly all spell it.
  if (contentType === "application/json") return contentType;
  return contentType?.split(";", 1)[0]?.trim().toLowerCase();
}

function modelOf(body: RequestBody): string {
  const { model } = body;
  if (model === undefined) throw new AppError("bad_request", "The body needs a model, as a string.");
  // What an upstream would trim or repair might become a model that was denied here.
  const isPlain = model !== "" && model === model.trim() && model.isWellFormed();
  if (!isPlain || model.length > LONGEST_MODEL || /[\p{Cc}\ufffd]/u.test(model))
    throw new AppError("bad_request", "The model's name is empty, too long, or holds what no name may hold.");
  return model;
}

/** Existence is told only to who may read the model list. */
function authoriseTarget(parts: GatewayParts, call: GatewayCall, target: RouteTarget): void {
  const { caller } = call.exchange;
  const { name } = target;
  // The audit names it when it is refused: a model that no list names is a client's text.
  call.exchange.target = parts.upstream.catalogue.lists(target) ? name : target.provider.name;
  if (caller !== undefined && parts.gates.authorizer.allows(caller, "gateway.use", name)) return;
  const mayKnow = caller !== undefined && parts.gates.authorizer.allows(caller, "models.read", name);
  throw new AppError(mayKnow ? "forbidden" : "model_not_found");
}

const ENDPOINTS = {
  openai: "OpenAI's: POST /v1/chat/completions",
  anthropic: "Anthropic's: POST /v1/messages",
};

/** Nothing is translated: what the client sent would be no request to an upstream that speaks another dialect. */
function checkDialect(call: GatewayCall, target: RouteTarget): void {
  const { dialect } = factsOf(target.provider.kind);
  if (dialect === call.route.dialect.usage) return;
  throw new AppError("wrong_dialect", `The model ${target.name} is called in the API ${ENDPOINTS[dialect]}.`);
}
