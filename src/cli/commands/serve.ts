import { join } from "node:path";
import type { Command } from "commander";
import type { App } from "#app";
import { type LoadedConfig, loadConfig } from "#platform/config/load.ts";
import { keepBufferPoolSmall } from "#platform/lib/buffer-pool.ts";
import { setEngineFlags } from "#platform/lib/engine-flags.ts";
import { refuseHeldDirectory } from "#platform/storage/directory-lock.ts";
import { startStorageThread } from "#platform/storage/storage-thread.ts";
import type { CommandContext } from "../command-context.ts";
import { commandToType, greeting } from "./greeting.ts";

interface ServeFlags {
  readonly dataDir?: string;
  readonly config?: string;
  readonly configDir?: string;
  readonly listen?: string[];
  readonly workers?: string;
}

/** By number, for the status of a process that a signal ended: 128 and the signal, as a shell reports it. */
const STOP_SIGNALS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;
type StopSignal = keyof typeof STOP_SIGNALS;

/** `claviger serve`: runs the server until a stop signal, then lets running answers end within the drain timeout. */
export function serveCommand(program: Command, context: CommandContext): void {
  program
    .command("serve")
    .description("run the server")
    .option("--data-dir <dir>", "where the server keeps its data (default: DATA_DIR or ~/.claviger)")
    .option(
      "--config <file>",
      "the configuration file (default: claviger.yaml of the configuration directory)",
    )
    .option("--config-dir <dir>", "the configuration directory")
    .option("--listen <address...>", "listen here instead: 127.0.0.1:8441, [::1]:8441")
    .option("--workers <count>", "how many threads serve the gateway")
    .option("--json", "log and report problems as JSON, on a terminal too")
    .action(async (flags: ServeFlags & { json?: boolean }) => {
      // First: it begins while all else is loaded.
      const storageThread = startStorageThread();
      keepBufferPoolSmall();
      const { json, workers, ...places } = flags;
      const given = workers === undefined ? places : { ...places, settings: { workers } };
      // Only here: the server is most of what there is to load, and no other command needs it.
      const { readDeclared } = await import("../../app/declared/declared.ts");
      const { env, homeDir } = context;
      const readConfig = () => loadConfig({ flags: given, env, homeDir, resources: readDeclared });
      const config = readConfig();
      refuseHeldDirectory(config.dataDir);
      const stopped = stopSignal();
      const [{ startApp }, { standardOutput }] = await Promise.all([
        import("#app"),
        import("#platform/log/standard-output.ts"),
      ]);
      const app = await startApp(config, {
        readConfig,
        storageThread,
        logSink: await standardOutput({ readable: process.stdout.isTTY === true && json !== true }),
      });
      setEngineFlags();
      if (json !== true) context.output().note(welcome(app, config, context.homeDir));
      reloadOnHangup(app);
      await stopped;
      await app.close();
    });
}

function welcome(app: App, config: LoadedConfig, homeDir: string): string {
  return greeting({
    urls: app.urls,
    fresh: app.fresh,
    setupCode: app.setupCode,
    locked: !app.seal.status().unlocked,
    dataDir: config.dataDir,
    usualDataDir: join(homeDir, ".claviger"),
    command: commandToType(process.cwd()),
  });
}

/** Settles at the first stop signal; from then on a second one, of whatever kind, ends the process at once. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    let asked = false;
    const onSignal = (signal: StopSignal) => {
      if (asked) process.exit(128 + STOP_SIGNALS[signal]);
      asked = true;
      resolve();
    };
    process.on("SIGINT", () => onSignal("SIGINT"));
    process.on("SIGTERM", () => onSignal("SIGTERM"));
    // The terminal is gone.
    if (hasTerminal()) process.on("SIGHUP", () => onSignal("SIGHUP"));
  });
}

/**
 * SIGHUP has the configuration read anew, as supervisors send it; where there is a terminal it says that this is gone.
 * What is refused is in the log.
 */
function reloadOnHangup(app: App): void {
  if (!hasTerminal()) process.on("SIGHUP", () => void app.reload().catch(() => undefined));
}

function hasTerminal(): boolean {
  return [process.stdin, process.stdout, process.stderr].some(({ isTTY }) => isTTY === true);
}
