import { type Command, Option } from "commander";
import type { CommandContext } from "../command-context.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import type { LocalFlags } from "./local-server.ts";
import { providerCalls } from "./provider-calls.ts";
import { askCredential } from "./provider-credentials.ts";
import { type OptionFlags, optionsOf, withOptionFlags } from "./provider-flags.ts";

interface AddFlags extends LocalFlags, OptionFlags {
  readonly kind: string;
  readonly baseUrl?: string;
  readonly credential?: boolean;
}

interface EditFlags extends LocalFlags, OptionFlags {
  readonly baseUrl?: string;
  readonly unset?: readonly string[];
  readonly credential?: boolean;
}

/** As the gateway has them: named here too, for help and completion must not load it. */
export const KIND_NAMES: readonly string[] = [
  "openai",
  "openai-compatible",
  "ollama",
  "anthropic",
  "anthropic-compatible",
  "http",
];

/** `provider add NAME`: whatever can be known to be wrong is said before the credential is asked for. */
export function addCommand(command: Command, context: CommandContext): void {
  withOptionFlags(command)
    .addOption(new Option("--kind <kind>", "what it speaks").choices(KIND_NAMES).default("openai"))
    .option(
      "--base-url <url>",
      "where its API is: of the OpenAI kinds up to and with /v1, of the Anthropic kinds without it",
    )
    .option("--credential", "ask for an API key where the kind usually has none (ollama)")
    .option("--no-credential", "the upstream needs none")
    .action(async (name: string, flags: AddFlags) => {
      const { kind, baseUrl } = flags;
      const options = optionsOf(flags);
      const calls = providerCalls(context, flags);
      // Only here: no other command needs the room of the gateway.
      const { kindsByName } = await import("#services/gateway/index.ts");
      if (baseUrl === undefined && kindsByName().get(kind)?.needsBaseUrl === true)
        throw new CliError(`a provider of kind ${kind} needs --base-url`, { exitCode: EXIT.usage });
      if ((await calls.find(name)) !== undefined)
        throw new CliError(`a provider named ${name} exists`, {
          exitCode: EXIT.data,
          repair: `change it with: claviger provider edit ${name}`,
        });
      const credentials = (flags.credential ?? kind !== "ollama") ? [await askCredential(name)] : [];
      const added = await calls.create({ name, kind, base_url: baseUrl, options, credentials });
      context.output().result(added, () => `provider ${added.name} added: ${added.base_url}`);
    });
}

/** `provider edit NAME`: what is not named stays as it is. */
export function editCommand(command: Command, context: CommandContext): void {
  withOptionFlags(command)
    .option("--base-url <url>", "where its API is; another origin needs --credential too")
    .option("--unset <option...>", "remove options, as provider show names them: ca_file extra_headers …")
    .option("--credential", "ask for a new API key, or read it from stdin")
    .action(async (name: string, flags: EditFlags) => {
      const unset = Object.fromEntries((flags.unset ?? []).map((option) => [option, null]));
      const options = { ...unset, ...optionsOf(flags) };
      const calls = providerCalls(context, flags);
      await calls.get(name);
      const credentials = flags.credential === true ? [await askCredential(name)] : undefined;
      const change = {
        base_url: flags.baseUrl,
        ...(Object.keys(options).length === 0 ? {} : { options }),
        credentials,
      };
      if (Object.values(change).every((value) => value === undefined))
        throw new CliError("nothing to change was given", { exitCode: EXIT.usage });
      const changed = await calls.change(name, change);
      context.output().result(changed, () => `provider ${changed.name} changed`);
    });
}
