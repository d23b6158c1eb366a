import type { Command } from "commander";
import { systemRandom } from "#platform/lib/random.ts";
import { Secret } from "#platform/lib/secret.ts";
import type { CommandContext } from "../command-context.ts";
import { EXIT } from "../exit-codes.ts";
import { readSecret } from "../prompt.ts";

/** `api-key generate` */
export function generateCommand(command: Command, context: CommandContext): void {
  command.action(async () => {
    // Only here: no other command needs the room of the keys.
    const { generateApiKey, publicHash } = await import("#identity/keys/index.ts");
    const { key } = generateApiKey(systemRandom);
    const pair = { private_key: key.expose(), public_hash: publicHash(key) };
    const words = () => `Generated Private Key: ${pair.private_key}\nSecure Public Hash: ${pair.public_hash}`;
    context.output().result(pair, words);
  });
}

/** `api-key validate HASH` */
export function validateCommand(command: Command, context: CommandContext): void {
  command
    .option("--key <key>", "the key (visible to other users of this machine)")
    .action((hash: string, flags: { key?: string }) => validate(context, hash, flags.key));
}

async function validate(context: CommandContext, hash: string, given: string | undefined): Promise<void> {
  const secret =
    given ??
    (
      await readSecret({ label: "Key", input: process.stdin, isTerminal: process.stdin.isTTY === true })
    ).expose();
  const key = secret.trim();
  const output = context.output();
  if (key !== secret) output.note("White space around the key was ignored.");
  const { verifyPublicHash } = await import("#identity/keys/index.ts");
  const verdict = verifyPublicHash(hash, new Secret(key));
  if ("malformed" in verdict) {
    context.setExit(EXIT.refusedValue);
    output.result(
      { valid: false, malformed: verdict.malformed },
      () => `The hash is malformed: ${verdict.malformed}`,
    );
    return;
  }
  if (!verdict.valid) context.setExit(EXIT.failed);
  output.result(verdict, () => (verdict.valid ? "Key is valid" : `Key is NOT valid: ${verdict.reason}`));
}
