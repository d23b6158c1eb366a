import { homedir } from "node:os";
import { Command, CommanderError } from "commander";
import { processEnvironment } from "#platform/config/environment.ts";
import { VERSION } from "#platform/lib/version.ts";
import type { CommandContext } from "./command-context.ts";
import { apiKeyCommands } from "./commands/api-key.ts";
import { auditCommands } from "./commands/audit.ts";
import { backupCommand } from "./commands/backup.ts";
import { clusterCommands } from "./commands/cluster.ts";
import { completionCommand } from "./commands/completion.ts";
import { configCommands } from "./commands/config.ts";
import { connectCommand } from "./commands/connect.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { serverKeyCommands } from "./commands/key.ts";
import { manCommand } from "./commands/man.ts";
import { modelsCommand } from "./commands/models.ts";
import { providerCommands } from "./commands/provider.ts";
import { resetPinCommand } from "./commands/reset-pin.ts";
import { restoreCommand } from "./commands/restore.ts";
import { serveCommand } from "./commands/serve.ts";
import { setupCommand } from "./commands/setup.ts";
import { setupCodeCommand } from "./commands/setup-code.ts";
import { statusCommand } from "./commands/status.ts";
import { usageCommand } from "./commands/usage.ts";
import { userCommands } from "./commands/user.ts";
import { EXIT } from "./exit-codes.ts";
import { createOutput } from "./output.ts";
import { addServerFlags } from "./server-flags.ts";

/** Every command, in the order of the help. Help, manual page and completion are made from this tree. */
export function createProgram(context: CommandContext): Command {
  const program = new Command("claviger").description(
    "Every program gets a key from Claviger; Claviger keeps the keys to everything else.",
  );
  program.version(VERSION).exitOverride().enablePositionalOptions();
  program.configureOutput({ outputError: (text, write) => write(withoutValues(text)) });
  program.showHelpAfterError("(see: claviger --help)");
  for (const register of [
    serveCommand,
    setupCommand,
    statusCommand,
    setupCodeCommand,
    userCommands,
    doctorCommand,
    providerCommands,
    modelsCommand,
    connectCommand,
    apiKeyCommands,
    serverKeyCommands,
    configCommands,
    completionCommand,
    manCommand,
    usageCommand,
    auditCommands,
    backupCommand,
    restoreCommand,
    clusterCommands,
    resetPinCommand,
  ])
    register(program, context);
  addServerFlags(program, context.server);
  return program;
}

/** Runs one command line and gives its exit status; nothing is thrown. */
export async function run(argv: readonly string[]): Promise<number> {
  // `claviger api-key list | head -1`: a reader that leaves early, or a terminal that closes, is no failure of ours.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  const env = processEnvironment();
  let exitCode: number = EXIT.ok;
  const output = () =>
    createOutput({
      stdout: process.stdout,
      stderr: process.stderr,
      json: argv.includes("--json"),
      noColor: env.NO_COLOR !== undefined,
    });
  const context: CommandContext = {
    env,
    homeDir: homedir(),
    server: {},
    output,
    setExit: (code) => (exitCode = code),
  };
  try {
    await createProgram(context).parseAsync([...argv], { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    return output().fail(error);
  }
}

/** What was wrong in a command line, without what may be a secret in the wrong place of it. */
function withoutValues(message: string): string {
  return message
    .replace(/( but got \d+): .*/s, "$1.\n")
    .replace(/'(--[\w-]+)=[^']*'/g, "'$1'")
    .replace(/'[^'\s]{25,}'/g, "'…'");
}
