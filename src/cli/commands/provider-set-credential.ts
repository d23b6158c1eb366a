import type { Command } from "commander";
import type { CommandContext } from "../command-context.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import type { LocalFlags } from "./local-server.ts";
import { providerCalls } from "./provider-calls.ts";
import { askCredential, askPool } from "./provider-credentials.ts";

interface SetFlags extends LocalFlags {
  readonly secret?: boolean;
}

type Calls = ReturnType<typeof providerCalls>;

/**
 * `provider set-credential NAME`: of a provider of the store its whole pool; else the secret of that name, or the one
 * secret of the provider of that name, which the configuration file refers to.
 */
export function setCredentialCommand(command: Command, context: CommandContext): void {
  command
    .option("--secret", "it is the name of a secret that the configuration file refers to, or will")
    .action(async (name: string, flags: SetFlags) => {
      const calls = providerCalls(context, flags);
      if (flags.secret === true) return setSecret(context, calls, name);
      const provider = await calls.find(name);
      if (provider?.source === "store") return setPool(context, calls, name);
      return setSecret(context, calls, await secretMeant(calls, name));
    });
}

async function setPool(context: CommandContext, calls: Calls, name: string): Promise<void> {
  const changed = await calls.change(name, { credentials: await askPool(name) });
  const count = changed.credentials.length;
  const what = count === 1 ? "credential" : `${count} credentials`;
  context.output().result(changed, () => `${what} of ${changed.name} replaced`);
}

async function setSecret(context: CommandContext, calls: Calls, name: string): Promise<void> {
  await calls.setSecret(name, (await askCredential(name)).value);
  context.output().result({ set: name }, () => `secret ${name} set`);
}

/** Throws CliError 65 when the configuration file refers to no secret by that name, or the provider has several. */
async function secretMeant(calls: Calls, name: string): Promise<string> {
  const secrets = (await calls.secrets()).filter(({ used_by }) => used_by.length > 0);
  if (secrets.some((secret) => secret.name === name)) return name;
  const own = secrets.filter(({ used_by }) => used_by.includes(name)).map((secret) => secret.name);
  const [only] = own;
  if (only !== undefined && own.length === 1) return only;
  if (own.length > 1)
    throw new CliError(`the provider ${name} has several secrets: ${own.join(", ")}`, {
      exitCode: EXIT.data,
      repair: "name the one that is meant",
    });
  throw new CliError(
    `there is no provider named ${name}, and no secret that the configuration file refers to`,
    {
      exitCode: EXIT.data,
      repair: `to set a secret ahead: claviger provider set-credential --secret ${name}`,
    },
  );
}
