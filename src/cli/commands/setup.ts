import type { Command } from "commander";
import * as z from "zod";
import type { CommandContext } from "../command-context.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { printable } from "../output.ts";
import { CANCELLED, questionsAt } from "../questions.ts";
import { serverKeyCalls } from "./key-calls.ts";
import { callLocal, type LocalFlags } from "./local-server.ts";
import { apiKeyStep } from "./setup-api-key.ts";
import { clusterStep } from "./setup-cluster.ts";
import { passwordStep } from "./setup-password.ts";
import { providerStep } from "./setup-provider.ts";
import { serverKeyStep, unlockFirst } from "./setup-server-key.ts";
import type { SetupParts, SetupStep } from "./setup-step.ts";

/** How a step stands: `done` before, `changed` by this run, or `open`. */
interface Standing {
  readonly step: string;
  readonly state: "done" | "changed" | "open";
  readonly detail: string | null;
  /** What does it alone, where it is open. */
  readonly command: string | null;
}

/**
 * `claviger setup`: what a new server needs, asked for one after the other at a terminal; what is there is left as it is.
 * Without a terminal it asks nothing, changes nothing, and tells how each step stands. It starts no server: one that a
 * terminal started would end with it. CliError 69 where none runs, 1 where it is cancelled.
 */
export function setupCommand(program: Command, context: CommandContext): void {
  program
    .command("setup")
    .description("set a new server up, step by step, at a terminal; elsewhere tell how each step stands")
    .option("--data-dir <dir>", "the server's data directory")
    .option("--json", "print JSON")
    .action((flags: LocalFlags) => setup(context, flags));
}

async function setup(context: CommandContext, flags: LocalFlags): Promise<void> {
  const output = context.output();
  const asks = process.stdin.isTTY === true;
  const say = (text: string) => output.note(text);
  const parts: SetupParts = { context, flags, ask: questionsAt(context), say };
  const steps = [passwordStep, serverKeyStep, clusterStep, providerStep, apiKeyStep].map((step) =>
    step(parts),
  );
  const standings: Standing[] = [];
  try {
    const { unlocked } = await serverKeyCalls(context, flags).status();
    if (!unlocked && !(asks && (await unlockFirst(parts))))
      throw new CliError("the server is locked", {
        exitCode: EXIT.tryAgain,
        repair: "unlock it: claviger key unlock",
      });
    for (const step of steps) standings.push(await standingOf(step, asks, say));
    if (asks) await endFirstRun(context, flags);
  } catch (error) {
    throw error instanceof CliError && error.message === CANCELLED ? await cancelled(steps, error) : error;
  }
  output.result({ steps: standings }, () => [...standings.map(lineOf), ...NEXT].join("\n"));
}

/** Who was led here is not led by the dashboard once more. */
async function endFirstRun(context: CommandContext, flags: LocalFlags): Promise<void> {
  const path = "/api/v1/first-run";
  const { body } = await callLocal(context, flags, { method: "GET", path });
  if (!z.object({ open: z.boolean() }).parse(body).open) return;
  await callLocal(context, flags, { method: "PUT", path, body: { open: false, skipped: [] } });
}

const NEXT = [
  "",
  "Settings for programs: claviger connect. What they use and cost: claviger usage. How it is: claviger status.",
];

async function standingOf(
  { name, command, done, run }: SetupStep,
  asks: boolean,
  say: SetupParts["say"],
): Promise<Standing> {
  const before = await done();
  if (before !== undefined) {
    if (asks) say(`${wordsOf(name)}: ${printable(before)}`);
    return { step: name, state: "done", detail: before, command: null };
  }
  const after = asks ? await run() : undefined;
  if (after === undefined) return { step: name, state: "open", detail: null, command };
  return { step: name, state: "changed", detail: after, command: null };
}

function lineOf({ step, state, detail, command }: Standing): string {
  const [mark, text] = state === "open" ? ["-", `open; later: ${command}`] : ["*", printable(detail ?? "")];
  return `${mark} ${wordsOf(step)}: ${text}`;
}

function wordsOf(step: string): string {
  return step.replaceAll("_", " ");
}

/** Where the person left, what is done is named: it stays. A server that is locked does not tell. */
async function cancelled(steps: readonly SetupStep[], { exitCode }: CliError): Promise<CliError> {
  const there = await Promise.all(
    steps.map(async ({ name, done }) => {
      const detail = await done().catch(() => undefined);
      return detail === undefined ? [] : [`${wordsOf(name)}: ${detail}`];
    }),
  );
  const stays = there.flat().map((line) => `\n  ${line}`);
  const message = stays.length === 0 ? "nothing is done so far" : `what is done stays:${stays.join("")}`;
  return new CliError(`cancelled; ${message}`, {
    exitCode,
    repair: "claviger setup goes on where this ended",
  });
}
