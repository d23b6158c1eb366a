import type { Command } from "commander";
import type { CommandContext } from "../command-context.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { readSecret } from "../prompt.ts";
import { keyCalls } from "./api-key-calls.ts";
import { describeKey } from "./api-key-show.ts";
import type { LocalFlags } from "./local-server.ts";

/** `api-key rotate ID|NAME`: the new key is on the first line, alone, so that a script can take it. */
export function rotateCommand(command: Command, context: CommandContext): void {
  command
    .option("--overlap <duration>", "how long the old key stays valid: 0, 15m, 24h, 7d", "24h")
    .action(async (idOrName: string, flags: LocalFlags & { readonly overlap: string }) => {
      const calls = keyCalls(context, flags);
      const issued = await calls.rotate(await calls.idOf(idOrName), flags.overlap);
      const old = await calls.show(issued.replaces ?? "");
      context
        .output()
        .result(
          issued,
          () =>
            `${issued.key}\n\nThis is the only time the key is shown. Its id is ${issued.id}.\n` +
            `The old one (${old.id}) is called ${old.name} now and is valid until ${old.expires_at ?? "-"}.`,
        );
    });
}

/** `api-key revoke ID|NAME`, and with `--leaked` the key on stdin. */
export function revokeCommand(command: Command, context: CommandContext): void {
  command
    .option("--leaked", "revoke the key whose text is asked for, or read from stdin, and tell what it did")
    .action(async (idOrName: string | undefined, flags: LocalFlags & { readonly leaked?: boolean }) => {
      if ((idOrName === undefined) !== (flags.leaked === true))
        throw new CliError("give the id or name of a key, or --leaked and the key on stdin", {
          exitCode: EXIT.usage,
        });
      if (idOrName === undefined) return revokeLeaked(context, flags);
      const calls = keyCalls(context, flags);
      const id = await calls.idOf(idOrName);
      await calls.revoke(id);
      context.output().result({ revoked: id }, () => `key ${id} revoked`);
    });
}

async function revokeLeaked(context: CommandContext, flags: LocalFlags): Promise<void> {
  const isTerminal = process.stdin.isTTY === true;
  const secret = await readSecret({ label: "Leaked key", input: process.stdin, isTerminal });
  const leak = await keyCalls(context, flags).revokeLeaked(secret.expose());
  const { key, requests } = leak;
  context.output().result(leak, () => {
    const asked = requests.map(
      ({ time, status, provider, model }) =>
        `  ${time}  ${status}  ${provider === null ? "" : `${provider}/`}${model}`,
    );
    const last = asked.length === 0 ? "no request of it is known" : `its last requests:\n${asked.join("\n")}`;
    return `key ${key.name} revoked\n\n${describeKey(key)}\n\n${last}`;
  });
}
