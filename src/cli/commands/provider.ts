import { type Command, Option } from "commander";
import { sortWords } from "#platform/lib/sorted-page.ts";
import type { CommandContext } from "../command-context.ts";
import { EXIT } from "../exit-codes.ts";
import type { LocalFlags } from "./local-server.ts";
import { addCommand, editCommand } from "./provider-add.ts";
import {
  type ProviderVerdict,
  providerCalls,
  type ShownProvider,
  type WantedProviders,
} from "./provider-calls.ts";
import { setCredentialCommand } from "./provider-set-credential.ts";

const SORTS = sortWords(["name", "kind"]);

/** `claviger provider add | edit | list | show | test | set-credential | remove`. */
export function providerCommands(program: Command, context: CommandContext): void {
  const group = program.command("provider").description("the upstreams this server stands in front of");
  const command = (words: string, says: string) =>
    group
      .command(words)
      .description(says)
      .option("--data-dir <dir>", "the server's data directory")
      .option("--json", "print JSON");
  addCommand(command("add <name>", "add a provider; its API key is asked for, or read from stdin"), context);
  editCommand(command("edit <name>", "change a provider's base URL or options"), context);
  command("list", "list the providers, in the order in which they are asked")
    .addOption(new Option("--sort <column>", "by this instead; with - before it backwards").choices(SORTS))
    .option("--search <text>", "with this text in their names or base URLs only")
    .action((flags: LocalFlags & WantedProviders) => list(context, flags));
  command(
    "show <name>",
    "show a provider with its options; of its API keys only the last four characters",
  ).action((name: string, flags: LocalFlags) => show(context, name, flags));
  command(
    "test <name>",
    "ask it for its models: exit status 0 when it answers, 1 with the reason when not",
  ).action((name: string, flags: LocalFlags) => test(context, name, flags));
  setCredentialCommand(
    command(
      "set-credential <name>",
      "replace a provider's API keys; asked for, or read from stdin, one a line: of several the next is used while one is refused",
    ),
    context,
  );
  command("remove <name>", "remove a provider and its credentials").action(
    async (name: string, flags: LocalFlags) => {
      await providerCalls(context, flags).remove(name);
      context.output().result({ removed: name }, () => `provider ${name} removed`);
    },
  );
}

async function list(context: CommandContext, flags: LocalFlags & WantedProviders): Promise<void> {
  const rows = (await providerCalls(context, flags).list(flags)).map((row) => ({
    ...row,
    options: Object.keys(row.options).join(" "),
    credentials: hintsOf(row),
    problems: row.problems?.join(" "),
  }));
  context.output().table(["name", "kind", "base_url", "source", "credentials", "options"], rows);
  for (const { name, problems } of rows)
    if (problems !== undefined) context.output().note(`${name}: ${problems}`);
}

async function show(context: CommandContext, name: string, flags: LocalFlags): Promise<void> {
  const provider = await providerCalls(context, flags).get(name);
  const options = Object.entries(provider.options).map(([option, value]) => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return `  ${option}: ${text}`;
  });
  const lines = [
    `${provider.name} (${provider.kind})`,
    `base URL: ${provider.base_url}`,
    `source: ${provider.source}`,
    `credentials: ${provider.credentials.length === 0 ? "none" : hintsOf(provider)}`,
    ...(provider.problems ?? []).map((problem) => `  ${problem}`),
    ...(options.length === 0 ? [] : ["options:", ...options]),
  ];
  context.output().result(provider, () => lines.join("\n"));
}

async function test(context: CommandContext, name: string, flags: LocalFlags): Promise<void> {
  const verdict = await providerCalls(context, flags).test(name);
  if (!verdict.ok) context.setExit(EXIT.failed);
  context
    .output()
    .result(verdict, () =>
      verdict.ok ? `${name} answers${answerOf(verdict)}` : `${name} does not work: ${verdict.error ?? ""}`,
    );
}

function answerOf({ latency_ms: ms, models }: ProviderVerdict): string {
  return `${ms === undefined ? "" : ` in ${ms} ms`}${models === undefined ? "" : ` and lists ${models} model${models === 1 ? "" : "s"}`}`;
}

function hintsOf({ credentials }: ShownProvider): string {
  return credentials.map(({ hint }) => `…${hint}`).join(" ");
}
