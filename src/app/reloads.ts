import { basename, join } from "node:path";
import type { AuditRecorder } from "#gates/audit/index.ts";
import { isCommonInitialPassword } from "#identity/users/index.ts";
import type { LoadedConfig } from "#platform/config/load.ts";
import { ConfigProblems } from "#platform/config/problems.ts";
import { SETTINGS, type Settings } from "#platform/config/settings.ts";
import { watchConfig } from "#platform/config/watch.ts";
import type { EventSink } from "#platform/events/event.ts";
import type { ChangeAuthor } from "#platform/http/exchange.ts";
import { callerId } from "#platform/http/ports.ts";
import type { Clock } from "#platform/lib/clock.ts";
import { AppError, StartError } from "#platform/lib/error.ts";
import { newRequestId } from "#platform/lib/id.ts";
import type { Random } from "#platform/lib/random.ts";
import type { Log } from "#platform/log/log.ts";
import type { Database } from "#platform/storage/database.ts";
import { Turn } from "#platform/threads/turn.ts";
import { pathsOf } from "#platform/tls/material.ts";
import type { ReloadReport, RunningConfig } from "#services/control/index.ts";
import type { Declared } from "./declared/declared.ts";
import type { InForce } from "./in-force.ts";
import { listenerSpecs } from "./listeners/declared-specs.ts";
import type { Listeners } from "./listeners/listeners.ts";
import { type RefusedConfig, shownListeners } from "./listeners/shown-listeners.ts";
import { type ListenerSpec, refuseCommonPassword } from "./listeners/spec.ts";

const ACTION = "config.reload";
/** What a reload puts in force. */
const LIVE: ReadonlySet<string> = new Set(SETTINGS.filter(({ live }) => live).map(({ key }) => key));

interface Parts {
  /** As it was at the start. */
  readonly config: LoadedConfig<Declared>;
  readonly readConfig: () => LoadedConfig<Declared>;
  readonly declared: InForce;
  readonly listeners: Listeners;
  readonly audit: AuditRecorder;
  readonly bus: EventSink;
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Reads the configuration anew when asked to, or when its file is another, and puts it in force as a whole. */
export class Reloads {
  readonly #parts: Parts;
  readonly #turn = new Turn();
  /** As the file was when it was last put in force. */
  #last: LoadedConfig<Declared>;
  /** The file as it is now, where that is not in force. */
  #refused: RefusedConfig | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#last = parts.config;
  }

  /** What holds now: of the file as it was last put in force what a reload changes, of the start the rest. */
  settings(): ReturnType<RunningConfig["settings"]> {
    const { config } = this.#parts;
    const waiting = new Set(this.#needRestart(this.#last.settings));
    const settings = SETTINGS.map(({ key, doc, live }) => {
      const { settings: values, origins } = live === true ? this.#last : config;
      const source = origins.get(key) ?? "default";
      return { name: key, value: values[key], source, restart_needed: waiting.has(key), about: doc };
    });
    return { file: this.#last.configFile ?? null, settings };
  }

  /** Where it listens, and what of the file it could not open. */
  listeners(): ReturnType<RunningConfig["listeners"]> {
    const { listeners, clock } = this.#parts;
    return shownListeners(listeners.inForce(), this.#refused, clock.now());
  }

  /** One after another. Throws AppError `config_refused`, its words the problems, or what the store throws that cannot record it: what was in force stays so. */
  async reload(by: ChangeAuthor = this.#unasked()): Promise<ReloadReport> {
    const done = await this.#turn.take();
    try {
      return await this.#reload(by);
    } finally {
      done();
    }
  }

  /** From now on when the file is another, too. */
  watch(): Disposable {
    const { config, log, audit } = this.#parts;
    return watchConfig(config, () => {
      const by = this.#unasked();
      this.reload(by).catch((error: unknown) => {
        const refused = error instanceof AppError;
        if (!refused) return log.error({ detail: String(error) }, "the configuration could not be reloaded");
        const { address, requestId } = by;
        const refusal = { actor: callerId(by.principal), action: ACTION, route: "file", address, requestId };
        return audit.refusal({ ...refusal, outcome: "failure" });
      });
    });
  }

  async #reload(by: ChangeAuthor): Promise<ReloadReport> {
    const { readConfig, declared, listeners, log, bus } = this.#parts;
    let specs: readonly ListenerSpec[] = [];
    let { require_api_key: requireApiKey } = this.#last.settings;
    try {
      const config = readConfig();
      requireApiKey = config.settings.require_api_key;
      specs = listenerSpecs(config);
      refuseCommonPassword(config, specs, isCommonInitialPassword);
      const commit = () => this.#record(by);
      await declared.replace(config.resources, () => listeners.apply(specs, { requireApiKey, commit }));
      this.#last = config;
      this.#refused = undefined;
      const report = { restart_needed: this.#needRestart(config.settings) };
      log.info({ settings: report.restart_needed.join(" ") }, "the configuration was reloaded");
      bus.publish("config.reloaded", report);
      return report;
    } catch (error) {
      if (!(error instanceof StartError)) throw error;
      log.error({ detail: error.message }, "the configuration was refused; the one before stays in force");
      const reason = publicText(error, specs, this.#parts.config.configDir);
      this.#refused = { reason, specs, requireApiKey };
      bus.publish("config.refused", {});
      throw new AppError("config_refused", reason, { cause: error });
    }
  }

  #needRestart(settings: Settings): string[] {
    const before = new Map(Object.entries(this.#parts.config.settings));
    const changed = Object.entries(settings).filter(
      ([key, value]) => JSON.stringify(value) !== JSON.stringify(before.get(key)),
    );
    return changed.map(([key]) => key).filter((key) => !LIVE.has(key));
  }

  #record(by: ChangeAuthor): Promise<void> {
    const { principal, address, requestId } = by;
    const { database, audit } = this.#parts;
    const entry = { actor: callerId(principal), action: ACTION, target: null, outcome: "success" } as const;
    return database.transaction((query) => audit.append(query, { ...entry, address, requestId, count: 1 }));
  }

  /** Whoever may write the file, or send a signal, is on this machine and may do everything. */
  #unasked(): ChangeAuthor {
    const { clock, random } = this.#parts;
    return { principal: { kind: "local" }, address: null, requestId: newRequestId(clock.now(), random) };
  }
}

/** Without the paths of the file, and of certificates and keys: those are for whoever is on the machine. */
function publicText(error: StartError, specs: readonly ListenerSpec[], configDir: string): string {
  if (!(error instanceof ConfigProblems)) {
    const pairs = specs.flatMap(({ tls }) => (tls.kind === "files" ? tls.pairs : []));
    const paths = pairs.flatMap((pair) => pathsOf(pair));
    const bare = paths.reduce((text, path) => text.replaceAll(path, basename(path)), error.message);
    return bare.replaceAll(join(configDir, "/"), "");
  }
  return error.problems
    .map(({ file, line, column, message }) =>
      line === 0 ? `${file}: ${message}` : `${file.split("/").at(-1)}:${line}:${column}: ${message}`,
    )
    .join("\n");
}
