import type { Exchange } from "#platform/http/exchange.ts";
import type { GatewayCall, GatewayParts } from "./call.ts";
import type { RouteTarget } from "./catalogue.ts";
import type { ClientAnswer } from "./client-answer.ts";
import type { Dialect } from "./dialects/dialect.ts";
import type { Forwarding } from "./own-routes.ts";
import type { PricedModel } from "./prices/prices.ts";
import { type TokenReserve, tokenReserve } from "./usage/token-reserve.ts";
import { UsageHold } from "./usage/usage-hold.ts";

/** Every answer of a limited caller tells what is left, a refusal too. */
export function tellLimits(exchange: Exchange, dialect: Dialect, answer: ClientAnswer): void {
  const left = exchange.admission?.left;
  if (left !== undefined) answer.bear(dialect.limitHeaders(left, exchange.time));
}

/**
 * Sets aside what the request may use, for a caller whose tokens or spend are limited; undefined for every other.
 * Throws the limiter's refusal.
 */
export function holdUsage(
  { upstream }: GatewayParts,
  call: GatewayCall,
  what: { how: Forwarding; target: RouteTarget; body: Buffer },
): UsageHold | undefined {
  const { exchange, route, answer } = call;
  const { admission } = exchange;
  if (admission?.reserves !== true || isFree(call)) return undefined;
  const model = pricedModel(what.target);
  const window = upstream.prices.contextWindow(model);
  const hold = new UsageHold(
    {
      admission,
      reserve: reserveOf(call, what, window),
      cost: (usage) => upstream.prices.cost(model, usage, exchange.time),
    },
    upstream.clock.now(),
  );
  tellLimits(exchange, route.dialect, answer);
  return hold;
}

export function pricedModel({ provider, model }: Pick<RouteTarget, "provider" | "model">): PricedModel {
  return { provider: provider.name, kind: provider.kind, baseUrl: provider.baseUrl, model };
}

/** Counting tokens uses none. */
function isFree({ route }: GatewayCall): boolean {
  return route.contract.path.endsWith("/count_tokens");
}

function reserveOf(
  { exchange }: GatewayCall,
  { how, body }: { how: Forwarding; body: Buffer },
  window: number | undefined,
): TokenReserve {
  // A form holds files, whose size tells nothing of tokens.
  if (exchange.head?.contentType?.toLowerCase().startsWith("multipart/") === true)
    return { input: 0, output: 0 };
  // What answers a stream in events of text is what writes text.
  return tokenReserve(body, { writes: how.mustStream, window });
}
