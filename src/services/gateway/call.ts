import type { EgressClient } from "#platform/egress/egress-client.ts";
import type { ClientRequest, ClientResponse } from "#platform/http/client-request.ts";
import type { Exchange } from "#platform/http/exchange.ts";
import type { Gates } from "#platform/http/pipeline.ts";
import type { AuditSink } from "#platform/http/ports.ts";
import type { Clock } from "#platform/lib/clock.ts";
import type { Log } from "#platform/log/log.ts";
import type { CredentialUse } from "#vault/credentials/index.ts";
import type { Catalogue, RouteTarget } from "./catalogue.ts";
import type { ClientAnswer } from "./client-answer.ts";
import type { Prices } from "./prices/prices.ts";
import type { Provider } from "./providers/providers.ts";
import type { RequestLog } from "./requests/request-log.ts";
import type { MatchedRoute } from "./route-table.ts";
import type { RunningRequests } from "./running.ts";
import type { UsageHold } from "./usage/usage-hold.ts";
import type { UsageMeter } from "./usage/usage-meter.ts";

/** What the gateway is made of. */
export interface GatewayParts {
  readonly gates: Gates;
  readonly sinks: { readonly audit: AuditSink; readonly log: Log; readonly requests: RequestLog };
  readonly upstream: {
    readonly egress: EgressClient;
    readonly credentials: CredentialUse;
    readonly catalogue: Catalogue;
    /** The provider of kind `http` with this name. */
    readonly httpApi: (name: string) => Provider | undefined;
    readonly clock: Clock;
    readonly prices: Prices;
  };
  readonly running: RunningRequests;
  readonly bodyLimitBytes: number;
}

/** One request on a declared gateway route, admitted. */
export interface GatewayCall {
  readonly exchange: Exchange;
  readonly request: ClientRequest;
  readonly response: ClientResponse;
  readonly route: MatchedRoute;
  readonly answer: ClientAnswer;
  /** Known once the body was read; the request's row names it. */
  target: RouteTarget | undefined;
  /** The published API that was asked for, once the caller was permitted it. */
  api: Provider | undefined;
  /** Set when the request is sent to the upstream. */
  meter: UsageMeter | undefined;
  /** What it has set aside, where its caller's tokens or spend are limited. */
  hold: UsageHold | undefined;
}
