import { type Command, Option } from "commander";
import type { CommandContext } from "../command-context.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { keyCalls } from "./api-key-calls.ts";
import { type TermFlags, termsOf, withTermFlags } from "./api-key-flags.ts";
import { describeKey } from "./api-key-show.ts";
import type { LocalFlags } from "./local-server.ts";

type CreateFlags = LocalFlags & TermFlags & { readonly permissions: readonly string[] };
type UpdateFlags = LocalFlags &
  TermFlags & {
    readonly name?: string;
    readonly permissions?: readonly string[];
    readonly unset?: readonly string[];
  };

const LIMITS = [
  "requests-per-minute",
  "concurrency",
  "tokens-per-minute",
  "tokens-per-day",
  "spend-usd-per-month",
];
const TERMS = ["models", "allowed-ips", "expires-at"];

/** `api-key create NAME`: the key is on the first line, alone, so that a script can take it. */
export function createCommand(command: Command, context: CommandContext): void {
  withTermFlags(command.option("--permissions <set...>", "permission sets", ["gateway"])).action(
    async (name: string, flags: CreateFlags) => {
      const issued = await keyCalls(context, flags).create({
        name,
        permissions: flags.permissions,
        ...termsOf(flags),
      });
      const words = () => `${issued.key}\n\nThis is the only time the key is shown. Its id is ${issued.id}.`;
      context.output().result(issued, words);
    },
  );
}

/** `api-key update ID|NAME`: what is not named stays as it is. */
export function updateCommand(command: Command, context: CommandContext): void {
  withTermFlags(
    command
      .option("--name <name>", "call it so")
      .option("--permissions <set...>", "its permission sets, in place of those it has")
      .addOption(new Option("--unset <term...>", "remove terms").choices([...TERMS, ...LIMITS])),
  ).action(async (idOrName: string, flags: UpdateFlags) => {
    const { name, permissions } = flags;
    const terms = { ...(name && { name }), ...(permissions && { permissions }), ...termsOf(flags) };
    const change = withUnset(terms, flags.unset ?? []);
    if (Object.keys(change).length === 0)
      throw new CliError("nothing to change was given", { exitCode: EXIT.usage });
    const calls = keyCalls(context, flags);
    const changed = await calls.update(await calls.idOf(idOrName), change);
    context.output().result(changed, () => `key ${changed.name} changed\n\n${describeKey(changed)}`);
  });
}

function withUnset(terms: Record<string, unknown>, unset: readonly string[]): Record<string, unknown> {
  const nulls = (names: readonly string[]) =>
    Object.fromEntries(
      unset.filter((name) => names.includes(name)).map((name) => [name.replaceAll("-", "_"), null]),
    );
  const limits = nulls(LIMITS);
  const all = { ...nulls(TERMS), ...terms };
  if (Object.keys(limits).length === 0) return all;
  return { ...all, limits: { ...limits, ...(typeof terms.limits === "object" ? terms.limits : {}) } };
}
