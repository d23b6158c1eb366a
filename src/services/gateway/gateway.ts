import type { ClientRequest, ClientResponse } from "#platform/http/client-request.ts";
import type { Exchange } from "#platform/http/exchange.ts";
import type { RawFamily } from "#platform/http/front.ts";
import { pathOf } from "#platform/http/path.ts";
import { admit, reasonOfEnd } from "#platform/http/pipeline.ts";
import { callerId } from "#platform/http/ports.ts";
import { toAppError } from "#platform/http/problem.ts";
import { reportRefusal } from "#platform/http/refusal.ts";
import { timeOfRequestId } from "#platform/lib/id.ts";
import { LoopTurns } from "#platform/lib/loop-turns.ts";
import type { GatewayCall, GatewayParts } from "./call.ts";
import { type AnswerOutcome, ClientAnswer } from "./client-answer.ts";
import { forward } from "./forward.ts";
import { forwardHttpApi } from "./http-api/forward-http-api.ts";
import { pricedModel, tellLimits } from "./limits.ts";
import { answerModel, answerModels } from "./models.ts";
import type { RequestRow } from "./requests/request-log.ts";
import { dialectAskedFor, GATEWAY_CONTRACTS, matchRoute } from "./route-table.ts";

/** What a request came to that no route took. */
const NOTHING_REACHED = { target: undefined, meter: undefined, api: undefined };

/** The gateway's routes, served in front of the framework through the pipeline's own functions. */
export function createGateway(parts: GatewayParts): RawFamily {
  const whole = { ...parts, turns: new LoopTurns() };
  return {
    contracts: () => GATEWAY_CONTRACTS,
    serve: (exchange, request, response) => serve(whole, exchange, request, response),
  };
}

function serve(
  parts: GatewayParts & { readonly turns: LoopTurns },
  exchange: Exchange,
  request: ClientRequest,
  response: ClientResponse,
): void {
  const path = pathOf(request.url ?? "");
  const route = matchRoute(exchange.method, path, request.headers);
  const dialect = route?.dialect ?? dialectAskedFor(path, request.headers);
  let call: GatewayCall | undefined;
  let running: number | undefined;
  const answer: ClientAnswer = new ClientAnswer(request, response, {
    requestId: exchange.requestId,
    dialect,
    turns: parts.turns,
    onOver: (outcome, error) => {
      exchange.errorCode ??= error?.code;
      call?.hold?.settle(call.meter, error?.code);
      // Before the last bytes go: who has his answer may ask again at once, of whichever thread.
      exchange.admission?.release();
      if (exchange.caller === undefined) return;
      if (error?.code === "invalid_token") exchange.refusal ??= reasonOfEnd(parts.gates, exchange.caller);
      if (running !== undefined) parts.running.remove(running);
      parts.sinks.requests.add(rowOf(parts.upstream, exchange, call, outcome));
    },
  });
  const refuse = (thrown: unknown) => {
    if (answer.over) return;
    const error = toAppError(thrown);
    tellLimits(exchange, dialect, answer);
    reportRefusal(parts.sinks, exchange, error);
    answer.end(error);
  };
  const begin = () => {
    tellLimits(exchange, dialect, answer);
    // Before anything is awaited, so that no revocation and no lock falls between this gate and the upstream.
    if (exchange.caller !== undefined) running = parts.running.add(callerId(exchange.caller), answer);
    if (route === undefined) return;
    call = newCall({ exchange, request, response, route, answer });
    work(parts, call).catch(refuse);
  };
  try {
    const judging = admit(parts.gates, exchange, request, route?.contract ?? { unknown: "gateway" });
    if (judging === undefined) return begin();
    // Who left while his credential was judged gets nothing done.
    judging.then(() => (answer.over ? exchange.admission?.release() : begin())).catch(refuse);
  } catch (error) {
    refuse(error);
  }
}

type Begun = Pick<GatewayCall, "exchange" | "request" | "response" | "route" | "answer">;

function newCall({ exchange, request, response, route, answer }: Begun): GatewayCall {
  return {
    exchange,
    request,
    response,
    route,
    answer,
    target: undefined,
    api: undefined,
    meter: undefined,
    hold: undefined,
  };
}

function work(parts: GatewayParts, call: GatewayCall): Promise<void> {
  const how = call.route.work;
  switch (how.kind) {
    case "forward":
      return forward(parts, call, how);
    case "models":
      return answerModels(parts, call);
    case "model":
      return answerModel(parts, call);
    case "http-api":
      return forwardHttpApi(parts, call, how.path);
    default:
      return how satisfies never;
  }
}

function rowOf(
  { catalogue, prices }: GatewayParts["upstream"],
  exchange: Exchange,
  call: GatewayCall | undefined,
  outcome: AnswerOutcome,
): RequestRow {
  const { target, meter, api } = call ?? NOTHING_REACHED;
  // A refused request used nothing; a stream that was cut used what had passed.
  const usage = outcome.status < 400 || outcome.streamed ? (meter?.read() ?? null) : null;
  const sinceStart = (at: number) => Math.round((at - exchange.startedMs) * 100) / 100;
  return {
    time: exchange.time,
    request_id: exchange.requestId,
    principal: exchange.caller === undefined ? "unknown" : callerId(exchange.caller),
    provider: (api ?? target?.provider)?.name ?? null,
    model: modelText(catalogue, { target, api }),
    route: exchange.route?.path ?? "unknown",
    status: outcome.status,
    latency_ms: sinceStart(performance.now()),
    first_byte_ms: outcome.firstByteMs === null ? null : sinceStart(outcome.firstByteMs),
    input_tokens: usage?.inputTokens ?? null,
    output_tokens: usage?.outputTokens ?? null,
    cost_nano_usd: target === undefined ? null : prices.cost(pricedModel(target), usage, exchange.time),
    estimated: usage?.estimated === true ? 1 : 0,
    streamed: outcome.streamed ? 1 : 0,
    id_tells_time: timeOfRequestId(exchange.requestId) === exchange.time ? 1 : 0,
  };
}

/** A name of ours: a model that no list names is a client's text. */
function modelText(
  catalogue: GatewayParts["upstream"]["catalogue"],
  { target, api }: Pick<GatewayCall, "target" | "api">,
): string {
  if (api !== undefined) return `x/${api.name}`;
  return target !== undefined && catalogue.lists(target) ? target.name : "unknown";
}
