import type { LoadedConfig } from "#platform/config/load.ts";
import { relaySocketPath } from "#platform/config/socket-path.ts";
import { StartError } from "#platform/lib/error.ts";
import type { Log, LogSink } from "#platform/log/log.ts";
import type { Metrics } from "#platform/log/metrics/metrics.ts";
import type { Database } from "#platform/storage/database.ts";
import type { ApiKeySecret } from "../api-key-secret.ts";
import type { Declared } from "../declared/declared.ts";
import type { WorkerStart } from "./protocol.ts";
import { type WorkerProgram, Workers } from "./workers.ts";

/** The threads that the setting `workers` asks for beside the main one; none of them runs yet. */
export function openWorkers(parts: {
  readonly config: LoadedConfig<Declared>;
  readonly database: Database;
  readonly log: Log;
  readonly sink: LogSink;
  readonly metrics: Metrics;
  readonly apiKeySecret: ApiKeySecret;
  readonly shared: WorkerStart["shared"];
  /** As it is when a thread starts. */
  readonly declared: () => WorkerStart["declared"];
  readonly onLost: (thread: number) => void;
  readonly urls: () => readonly string[];
  readonly program: WorkerProgram | undefined;
}): Workers {
  const { config, database, log, sink, metrics } = parts;
  // Only Linux spreads connections over all that listen on a port.
  if (config.settings.workers > 1 && process.platform !== "linux")
    throw new StartError("workers must be 1 on this system: more than one thread needs Linux.");
  return new Workers({
    count: config.settings.workers - 1,
    program: parts.program ?? { entry: new URL("./worker-thread.ts", import.meta.url) },
    log,
    sink,
    metrics,
    startOf: async () => ({
      settings: config.settings,
      declared: parts.declared(),
      apiKeySecret: parts.apiKeySecret.secret.expose(),
      shared: parts.shared,
      urls: parts.urls(),
      relaySocket: relaySocketPath(config.dataDir),
      rows: await database.openRowPort(),
    }),
    onLost: parts.onLost,
  });
}
