import { existsSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { quoteForShell } from "#platform/config/shell-quote.ts";

export interface GreetingFacts {
  readonly urls: readonly string[];
  /** Whether this start made the store. */
  readonly fresh: boolean;
  readonly locked: boolean;
  /** What the first user signs in with, where he needs one. */
  readonly setupCode: string | undefined;
  readonly dataDir: string;
  /** What the lines to copy work on when they name no data directory. */
  readonly usualDataDir: string;
  /** The command as it is typed here. */
  readonly command: string;
}

/** What the start says on a terminal: where it listens, what it is waiting for, and lines to copy that work as they are. */
export function greeting(facts: GreetingFacts): string {
  const { urls, dataDir } = facts;
  const named = dataDir === facts.usualDataDir ? "" : ` --data-dir ${quoteForShell(dataDir)}`;
  const line = (words: string) => `  ${facts.command} ${words}${named}`;
  const lines = [`Claviger listens on ${urls.join(" and ")}`];
  if (facts.setupCode !== undefined)
    lines.push(`The first sign-in is as admin, with this code, once: ${facts.setupCode}`);
  if (facts.locked) {
    lines.push("It is locked and serves nothing until it is opened with the server key:", line("key unlock"));
  } else if (facts.fresh) {
    lines.push(
      "",
      "Next, in another terminal: add a provider (its key is asked for), and make a key for a program, shown once:",
      line("provider add openai --kind openai"),
      line("api-key create my-app"),
      `Then point the program at ${urls[0] ?? ""}/v1 with that key.`,
      "Or be led through all of it, the server key included:",
      line("setup"),
    );
  }
  return lines.join("\n");
}

/** The command as a person in `directory` types it: the checkout's launcher by its path, or `claviger` once installed. */
export function commandToType(directory: string): string {
  const root = resolve(fileURLToPath(import.meta.url), "../../../..");
  const launcher = join(root, "bin", "claviger");
  if (!existsSync(launcher)) return "claviger";
  const short = relative(directory, launcher);
  return quoteForShell(short.startsWith("..") ? launcher : short);
}
