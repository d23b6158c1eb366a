import type { Secret } from "#platform/lib/secret.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { readSecret } from "../prompt.ts";

/** A server key that is in use, typed unseen at a terminal or the next line of stdin. */
export function askKey(label: string): Promise<Secret> {
  return readSecret({ label, input: process.stdin, isTerminal: isTerminal() });
}

/** One that is to be used from now on: at a terminal typed twice. Throws CliError 65 when the two differ. */
export async function askNewKey(label: string): Promise<Secret> {
  const key = await askKey(label);
  if (!isTerminal()) return key;
  const again = await askKey(`${label}, once more`);
  if (again.expose() === key.expose()) return key;
  throw new CliError("the two are not the same; nothing was changed", { exitCode: EXIT.data });
}

function isTerminal(): boolean {
  return process.stdin.isTTY === true;
}
