import { type Command, Option } from "commander";
import * as z from "zod";
import type { CommandContext } from "../command-context.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { remoteUrl } from "../server-flags.ts";
import { type Connection, httpExample, TOOLS, type Tool } from "./connect-settings.ts";
import { callLocal, type LocalFlags } from "./local-server.ts";
import { type KnownModel, knownModels } from "./models.ts";
import { providerCalls, type ShownProvider } from "./provider-calls.ts";

interface ConnectFlags extends LocalFlags {
  readonly tool?: string;
  readonly model?: string;
  readonly url?: string;
}

interface Setting extends Omit<Tool, "text" | "dialect"> {
  readonly text: string;
}

const listening = z.object({ listeners: z.array(z.string()) });
const KEY = "YOUR_CLAVIGER_KEY";
const NAMES = TOOLS.map(({ tool }) => tool);

/** `claviger connect [NAME]`: the settings with which programs reach this server; a key is never among them. */
export function connectCommand(program: Command, context: CommandContext): void {
  program
    .command("connect")
    .description("print the settings for programs that are to use this server")
    .argument("[name]", `a provider, or one of ${NAMES.join(", ")}; all programs without it`)
    .addOption(new Option("--tool <tool>", "for this program only").choices(NAMES))
    .option("--model <model>", "the model they ask for; one the provider serves unless given")
    .option("--url <url>", "the address at which programs reach this server, where it is another")
    .option("--data-dir <dir>", "the server's data directory")
    .option("--json", "print JSON")
    .action((name: string | undefined, flags: ConnectFlags) => connect(context, name, flags));
}

/** The settings of one program for one provider, as a block to copy; undefined where the two speak no common dialect. */
export async function settingText(
  context: CommandContext,
  flags: LocalFlags,
  { tool, provider }: { readonly tool: string; readonly provider: ShownProvider },
): Promise<string | undefined> {
  const found = TOOLS.find((each) => each.tool === tool);
  const url = await ownUrl(context, flags);
  const models = await knownModels(context, flags);
  const from = { url, providers: [provider], models, given: undefined };
  const [setting] = found === undefined ? [] : settingOf(found, from);
  return setting && block(setting);
}

async function connect(
  context: CommandContext,
  name: string | undefined,
  flags: ConnectFlags,
): Promise<void> {
  const calls = providerCalls(context, flags);
  const provider = name === undefined ? undefined : await calls.find(name);
  const named = provider === undefined ? name : undefined;
  if (named !== undefined && !NAMES.includes(named))
    throw new CliError(`there is no provider and no program named ${named}`, {
      exitCode: EXIT.data,
      repair: `the programs are ${NAMES.join(", ")}`,
    });
  const url = flags.url?.replace(/\/+$/, "") ?? (await ownUrl(context, flags));
  const wanted = flags.tool ?? named;
  const tools = TOOLS.filter(({ tool }) => wanted === undefined || tool === wanted);
  const providers = provider === undefined ? await calls.list() : [provider];
  const models = flags.model === undefined ? await knownModels(context, flags) : [];
  const settings = tools.flatMap((tool) => settingOf(tool, { url, providers, models, given: flags.model }));
  if (provider?.kind === "http") settings.push(httpSetting(url, provider.name));
  if (settings.length === 0)
    throw new CliError(`${wanted ?? ""} does not speak the dialect of ${name ?? "any provider"}`, {
      exitCode: EXIT.data,
    });
  context.output().result({ url, tools: settings }, () => [...settings.map(block), NEXT].join("\n\n"));
}

const NEXT = `Put a key in place of ${KEY}; make one, shown once, with: claviger api-key create NAME`;

function settingOf(
  { text, dialect, ...tool }: Tool,
  from: {
    url: string;
    providers: readonly ShownProvider[];
    models: readonly KnownModel[];
    given: string | undefined;
  },
): Setting[] {
  const fitting = from.providers.filter(({ kind }) => dialectOf(kind) === dialect);
  const [first] = fitting;
  if (first === undefined && from.providers.length > 0) return [];
  const known = fitting.flatMap(({ name }) => from.models.filter((model) => model.provider === name));
  const model = from.given ?? known[0]?.id ?? `${first?.name ?? "PROVIDER"}/MODEL`;
  const connection: Connection = { url: from.url, model, key: KEY };
  return [{ ...tool, text: text(connection) }];
}

function httpSetting(url: string, name: string): Setting {
  const text = httpExample({ url, model: "", key: KEY }, name);
  return { tool: "curl", title: "curl", where: "any HTTP client; the path after it is the upstream's", text };
}

/** The programs that speak a dialect which a provider of this kind serves. */
export function toolsFor(kind: string): readonly Pick<Tool, "tool" | "title">[] {
  return TOOLS.filter(({ dialect }) => dialect === dialectOf(kind));
}

/** Which dialect a program must speak to be served by a provider of this kind; none for plain HTTP. */
function dialectOf(kind: string): Tool["dialect"] | undefined {
  if (kind === "http") return undefined;
  return kind.startsWith("anthropic") ? "anthropic" : "openai";
}

/** Where it is asked, or where the local one listens; every address of the machine is written as this machine's own. */
async function ownUrl(context: CommandContext, flags: LocalFlags): Promise<string> {
  const remote = flags.dataDir === undefined ? remoteUrl(context) : undefined;
  if (remote !== undefined) return remote.origin;
  const { body } = await callLocal(context, flags, { method: "GET", path: "/api/v1/status" });
  const [listener] = listening.parse(body).listeners;
  if (listener === undefined)
    throw new CliError("the server listens on no address", {
      exitCode: EXIT.data,
      repair: "name one with --url",
    });
  return listener.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:");
}

function block({ title, where, text }: Setting): string {
  return `# ${title} (${where})\n${text}`;
}
