import type { Settings } from "#platform/config/settings.ts";
import type { EgressClient } from "#platform/egress/egress-client.ts";
import type { RawFamily } from "#platform/http/front.ts";
import type { Gates } from "#platform/http/pipeline.ts";
import type { AuditSink } from "#platform/http/ports.ts";
import type { Clock } from "#platform/lib/clock.ts";
import type { AppError } from "#platform/lib/error.ts";
import type { Log } from "#platform/log/log.ts";
import type { Database } from "#platform/storage/database.ts";
import type { CredentialUse } from "#vault/credentials/index.ts";
import { Catalogue } from "./catalogue.ts";
import { createGateway } from "./gateway.ts";
import { pricedModel } from "./limits.ts";
import { factsOfModel, type ModelDirectory, NO_FACTS } from "./model-facts.ts";
import { LIST_WAIT_MS } from "./models.ts";
import { openPrices } from "./prices/prices.ts";
import type { Provider } from "./providers/providers.ts";
import { RequestLog, type RequestRow } from "./requests/request-log.ts";
import { RunningRequests } from "./running.ts";

/** What one thread's gateway is made from. */
interface GatewaySetup {
  readonly gates: Gates;
  readonly sinks: {
    readonly audit: AuditSink;
    readonly log: Log;
    readonly rows: {
      readonly database: Pick<Database, "insertRows">;
      readonly log: Log;
      readonly onRow?: (row: RequestRow) => void;
    };
  };
  readonly upstream: {
    readonly egress: EgressClient;
    readonly credentials: CredentialUse;
    readonly clock: Clock;
  };
  readonly providers: {
    /** Those there are now, in their order. */
    readonly ordered: () => readonly Provider[];
    /** The models a provider serves; throws where they cannot be had. */
    readonly fetchModels: (provider: Provider) => Promise<readonly string[]>;
  };
  readonly settings: Pick<Settings, "enable_request_logs" | "gateway_body_limit_bytes" | "prices">;
}

/** The gateway of one thread: its routes, and what the rest of the server asks of it. */
export interface Gateway {
  readonly family: RawFamily;
  /** A provider was made, changed or removed. */
  changed(providerId: string): void;
  /** The credentials are to be had again. */
  unlocked(): void;
  /** The models a provider of this id lists, at most 15 s old. Throws AppError where the list cannot be had. */
  modelsOf(providerId: string): Promise<readonly string[]>;
  /** All models by their whole names, as lists of models have them; waits 2 s for what is not known. */
  models(): Promise<readonly string[]>;
  /** Those of them that are known now, however old. */
  knownModels(): readonly string[];
  readonly directory: ModelDirectory;
  /** Ends the answers this principal still gets. */
  endOf(principal: string, error: AppError): void;
  endAll(error: AppError): void;
  /** Settles when every row noted so far is written or was given up. */
  flush(): Promise<void>;
}

export function openGateway(setup: GatewaySetup): Gateway {
  const { gates, sinks, upstream, settings, providers } = setup;
  const providersOf = (isHttpApi: boolean) =>
    providers.ordered().filter(({ kind }) => (kind === "http") === isHttpApi);
  const catalogue = new Catalogue({
    clock: upstream.clock,
    ordered: () => providersOf(false),
    fetchModels: providers.fetchModels,
  });
  const prices = openPrices(settings.prices);
  const requests = new RequestLog({ ...sinks.rows, print: settings.enable_request_logs });
  const running = new RunningRequests();
  const family = createGateway({
    gates,
    sinks: { audit: sinks.audit, log: sinks.log, requests },
    upstream: {
      ...upstream,
      catalogue,
      httpApi: (name) => providersOf(true).find((api) => api.name === name),
      prices,
    },
    running,
    bodyLimitBytes: settings.gateway_body_limit_bytes,
  });
  const list = async () => {
    await catalogue.refresh(LIST_WAIT_MS);
    return catalogue.list();
  };
  return {
    family,
    changed: (id) => catalogue.changed(id),
    unlocked: () => catalogue.unlocked(),
    modelsOf: (id) => catalogue.modelsOf(id),
    models: async () => (await list()).map(({ id }) => id),
    knownModels: () => catalogue.list().map(({ id }) => id),
    directory: {
      list,
      describe: ({ provider, model }) => {
        const of = providers.ordered().find(({ name }) => name === provider);
        if (of === undefined) return Promise.resolve(NO_FACTS);
        return factsOfModel(prices, pricedModel({ provider: of, model }), upstream.clock.now());
      },
    },
    endOf: (principal, error) => running.endOf(principal, error),
    endAll: (error) => running.endAll(error),
    flush: () => requests.flush(),
  };
}
