import type { Secret } from "#platform/lib/secret.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { readSecret, type SecretRequest } from "../prompt.ts";

/** Where keys are read from: this program's own input unless given. */
export type KeyInput = Omit<SecretRequest, "label">;

/** A server key that is in use, typed unseen at a terminal or the next line of stdin. */
export function askKey(label: string, from: KeyInput = ownInput()): Promise<Secret> {
  return readSecret({ label, ...from });
}

/** One that is to be used from now on: at a terminal typed twice. Throws CliError 65 when the two differ. */
export async function askNewKey(label: string, from: KeyInput = ownInput()): Promise<Secret> {
  const key = await askKey(label, from);
  if (!from.isTerminal) return key;
  const again = await askKey(`${label}, once more`, from);
  if (again.expose() === key.expose()) return key;
  throw new CliError("the two are not the same; nothing was changed", { exitCode: EXIT.data });
}

function ownInput(): KeyInput {
  return { input: process.stdin, isTerminal: process.stdin.isTTY === true };
}
