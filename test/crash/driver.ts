/**
 * One run of one scenario as a process of its own: `driver.ts SCENARIO DIRECTORY INPUT`. What came of it is one
 * line of JSON; an error that the program answers with is such a line too, and anything else ends the process.
 */
import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";
import { AppError, StartError } from "#platform/lib/error.ts";
import { StatementError } from "#platform/storage/statement-error.ts";
import { seededRandom } from "#test/seeded-random.ts";
import { type Input, inputShape } from "./beginnings.ts";
import { scenarioOf } from "./scenarios.ts";
import { openSubject, readSecrets, type Subject } from "./subject.ts";
import { BEGIN } from "./trace.ts";

/** What a run says of itself before it ends. */
export interface Said {
  /** Whether the scenario's change was answered, or refused with an error. */
  readonly done: boolean;
  readonly error?: string | undefined;
  /** The secrets that this process still read at its end; null while it was locked or had no store. */
  readonly secrets: readonly (readonly [string, string])[] | null;
}

const [scenario = "", directory = "", input = "{}"] = process.argv.slice(2);
predictDrafts();
process.stdout.write(`${JSON.stringify(await run(inputShape.parse(JSON.parse(input))))}\n`);

async function run(given: Input): Promise<Said> {
  let opened: Subject | undefined;
  let said: Said;
  try {
    const { begin, act, offline, fromStart } = scenarioOf(scenario);
    if (offline === undefined) {
      opened = await openSubject(directory, seededRandom(7));
      await begin?.(opened, given);
      if (!fromStart) process.stdout.write(`${BEGIN}\n`);
      await act?.(opened, given);
      await opened.seal.settled();
    } else {
      await offline(directory, given);
    }
    said = { done: true, secrets: await secretsOf(opened) };
  } catch (error) {
    said = { done: false, error: answerOf(error), secrets: await secretsOf(opened) };
  }
  // A store that cannot be closed in order is closed by the end of the process.
  try {
    await opened?.[Symbol.asyncDispose]();
  } catch (error) {
    answerOf(error);
  }
  return said;
}

async function secretsOf(opened: Subject | undefined): Promise<Said["secrets"]> {
  if (opened === undefined || opened.seal.isLocked()) return null;
  return [...(await readSecrets(opened))];
}

/** Throws what no caller is ever answered with. */
function answerOf(error: unknown): string {
  // What failed first, and what failed when it was undone.
  if (error instanceof SuppressedError) return `${answerOf(error.suppressed)}; ${answerOf(error.error)}`;
  const known = [StartError, AppError, StatementError].some((kind) => error instanceof kind);
  if (error instanceof Error && (known || "syscall" in error || "errcode" in error)) return error.message;
  throw error;
}

/** The names of drafts are drawn at random; here they are the same in every run. */
function predictDrafts(): void {
  let count = 0;
  const randomUUID = () => `00000000-0000-4000-8000-${String(++count).padStart(12, "0")}`;
  Object.assign(crypto, { randomUUID });
  syncBuiltinESMExports();
}
