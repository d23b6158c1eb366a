import { statSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { systemErrorCode } from "#platform/config/bounded-text.ts";
import { resolveDirectories } from "#platform/config/directories.ts";
import { ConfigProblems, type Problem } from "#platform/config/problems.ts";
import { systemRandom } from "#platform/lib/random.ts";
import type { CommandContext } from "../command-context.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { askNewPin } from "./cluster.ts";
import type { Places } from "./config-edit.ts";
import { enterCluster } from "./reset-pin-enter.ts";
import { type Propagated, preparePropagation, propagatedLines } from "./reset-pin-propagate.ts";

const TYPED_ELSEWHERE =
  "Type the same PIN on every other member: claviger reset-pin. Until then its token is another.";
const SALTED_ANEW =
  "The salt is new: the other members join anew. Here: claviger cluster open; there: claviger cluster join URL.";

type Flags = Places & {
  readonly newSalt?: boolean;
  readonly propagate?: boolean;
  readonly except?: readonly string[];
};

/**
 * `claviger reset-pin`: another PIN for the cluster this server is in, on its files, with or without a server running,
 * which takes them over by itself, and with `--propagate` gives it to the other nodes. Without files it asks at a
 * terminal which cluster to join. As root it works as the owner of the data directory. CliError 2 for a refused PIN;
 * exit status 75 where not all nodes have the new one.
 */
export function resetPinCommand(program: Command, context: CommandContext): void {
  program
    .command("reset-pin")
    .description("set another PIN for the cluster on this server's files; the old token is dead at once")
    .option("--data-dir <dir>", "the server's data directory")
    .option("--config-dir <dir>", "the configuration directory")
    .option("--new-salt", "make a new salt too, after a device was lost")
    .option("--propagate", "have the running server give the new PIN to the other nodes that it reaches")
    .option("--except <node...>", "with --propagate: take these nodes off the list first")
    .option("--json", "print JSON")
    .action((flags: Flags) => resetPin(context, flags));
}

async function resetPin(context: CommandContext, flags: Flags): Promise<void> {
  const { newSalt = false, propagate = false, except = [], ...places } = flags;
  if (except.length > 0 && !propagate)
    throw new CliError("--except goes with --propagate", { exitCode: EXIT.usage });
  const problems: Problem[] = [];
  const { dataDir, configDir } = resolveDirectories(
    { flags: places, env: context.env, homeDir: context.homeDir },
    problems,
  );
  if (problems.length > 0) throw new ConfigProblems(problems);
  // All of it before root becomes another, who may not read where the program lies.
  const { preparePinReset } = await import("#services/cluster/index.ts");
  const { noteInAudit } = await import("./restore-directory.ts");
  await import("@serenity-kit/opaque");
  const owner = workAsOwner(dataDir);
  const reset = preparePinReset(join(configDir, "credentials"), owner);
  if (reset.status === "none") return await enterCluster(context, { dataDir });
  if (reset.status === "closed")
    throw new CliError(reset.reason, { exitCode: EXIT.configuration, repair: reset.repair });
  const local = { dataDir };
  const push = propagate ? await preparePropagation(context, local, except) : undefined;
  const pin = await askNewPin(context);
  const output = context.output();
  if (await reset.isPin(pin)) output.note("this is the PIN already; its files are made anew all the same");
  const { epoch } = await reset.reset(pin, { random: systemRandom, newSalt }).catch(cannotWrite);
  noteInAudit(dataDir, {
    action: "cluster.pin.reset",
    target: newSalt ? "new salt" : null,
    outcome: "success",
  });
  const pushed = await push?.();
  if (pushed?.nodes?.every(({ taken }) => taken) === false || pushed?.nodes === null)
    context.setExit(EXIT.tryAgain);
  output.result({ reset: true, new_salt: newSalt, epoch, ...(pushed && { nodes: pushed.nodes }) }, () =>
    ["The new PIN holds here; the old token is dead.", ...whatFollows(pushed, newSalt)].join("\n"),
  );
}

function whatFollows(pushed: Propagated | undefined, newSalt: boolean): string[] {
  const elsewhere = newSalt ? SALTED_ANEW : TYPED_ELSEWHERE;
  if (pushed === undefined) return [elsewhere];
  if (pushed.nodes === null) return [`It was not given to the other nodes: ${pushed.why}`, elsewhere];
  const done = pushed.nodes.every(({ taken }) => taken);
  return [...propagatedLines(pushed), ...(done ? [] : [elsewhere])];
}

/**
 * The user whose files they are. Root becomes that user, for good: what it wrote would be root's, and a link that the
 * owner put in its way would lead it anywhere.
 */
function workAsOwner(dataDir: string): number {
  const status = statSync(dataDir, { throwIfNoEntry: false });
  if (status === undefined)
    throw new CliError(`${dataDir} does not exist`, {
      exitCode: EXIT.configuration,
      repair: "name the server's data directory: --data-dir DIR",
    });
  const running = process.getuid?.() ?? 0;
  if (running === status.uid) return running;
  if (running !== 0)
    throw new CliError(`${dataDir} belongs to uid ${status.uid}`, {
      exitCode: EXIT.notPermitted,
      repair: "run the command as that user, or as root",
    });
  process.setgroups?.([status.gid]);
  process.setgid?.(status.gid);
  process.setuid?.(status.uid);
  return status.uid;
}

function cannotWrite(cause: unknown): never {
  if (systemErrorCode(cause) === "unknown") throw cause;
  throw new CliError(
    `the credential files cannot be written (${systemErrorCode(cause)}); the old ones hold`,
    {
      exitCode: EXIT.cannotCreate,
      cause,
    },
  );
}
