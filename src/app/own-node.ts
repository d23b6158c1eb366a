import { hostname } from "node:os";
import type { Gates } from "#platform/http/pipeline.ts";
import type { Caller } from "#platform/http/ports.ts";
import type { Clock } from "#platform/lib/clock.ts";
import type { Timers } from "#platform/lib/timers.ts";
import { VERSION } from "#platform/lib/version.ts";
import type { NodeFacts } from "#services/cluster/index.ts";
import type { Gateway } from "#services/gateway/index.ts";
import type { Seal } from "#vault/seal/index.ts";

/** While nobody asks for models the other nodes are told those of at most so long ago. */
const MODELS_EVERY_MS = 60_000;

interface Parts {
  readonly nodeId: string;
  readonly tools: { readonly clock: Clock };
  readonly seal: Pick<Seal, "status">;
  readonly urls: () => readonly string[];
  readonly gates: Pick<Gates, "authorizer">;
  readonly gateway: Pick<Gateway, "models" | "knownModels">;
}

/** What this server tells of itself where nodes are listed; of models what the caller may read. */
export function ownNode(parts: Parts): NodeFacts {
  const { gates, gateway } = parts;
  const mayRead = (caller: Caller, model: string) => gates.authorizer.allows(caller, "models.read", model);
  return {
    id: parts.nodeId,
    name: hostname(),
    version: VERSION,
    clock: parts.tools.clock,
    isUnlocked: () => parts.seal.status().unlocked,
    urls: parts.urls,
    modelsFor: async (caller) => {
      const models = await gateway.models();
      return models.filter((model) => mayRead(caller, model));
    },
    mayRead,
  };
}

/** What it tells the other nodes of itself, without waiting for any upstream. */
export function ownPresence({
  seal,
  gateway,
  timers,
}: Pick<Parts, "seal" | "gateway"> & { readonly timers: Timers }) {
  let askedMs = Number.NEGATIVE_INFINITY;
  const isUnlocked = () => seal.status().unlocked;
  return {
    version: VERSION,
    isUnlocked,
    models: () => {
      const nowMs = timers.monotonicMs();
      if (isUnlocked() && nowMs - askedMs >= MODELS_EVERY_MS) {
        askedMs = nowMs;
        // Those that come are told with a later heartbeat.
        gateway.models().catch(() => undefined);
      }
      return gateway.knownModels();
    },
  };
}
