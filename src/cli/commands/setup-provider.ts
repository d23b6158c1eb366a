import { printable } from "../output.ts";
import { knownModels } from "./models.ts";
import { providerCalls, type ShownProvider } from "./provider-calls.ts";
import { type SetupParts, type SetupStep, untilTaken } from "./setup-step.ts";

const KINDS = [
  { value: "openai", label: "OpenAI, https://api.openai.com/v1" },
  { value: "anthropic", label: "Anthropic, https://api.anthropic.com" },
  { value: "ollama", label: "Ollama on this machine, http://127.0.0.1:11434/v1" },
  { value: "openai-compatible", label: "another that speaks as OpenAI does" },
  { value: "anthropic-compatible", label: "another that speaks as Anthropic does" },
  { value: "later", label: "later" },
] as const;
const SHOWN_MODELS = 5;

/** The first provider, with a test against it. */
export function providerStep(parts: SetupParts): SetupStep {
  const calls = providerCalls(parts.context, parts.flags);
  return {
    name: "provider",
    command: "claviger provider add NAME --kind KIND",
    done: async () => {
      const names = (await calls.list()).map(({ name }) => name);
      return names.length === 0 ? undefined : names.join(", ");
    },
    run: async () => {
      const kind = await parts.ask.choice("Which provider are programs to reach?", KINDS);
      if (kind === "later") return undefined;
      const added = await untilTaken(parts, () => add(parts, kind));
      return (await keptAfterTest(parts, added)) ? added.name : undefined;
    },
  };
}

async function add(parts: SetupParts, kind: string): Promise<ShownProvider> {
  const { ask, context, flags } = parts;
  const isOther = kind.endsWith("-compatible");
  const name = await ask.line("Its name, which models begin with", isOther ? "other" : kind);
  const end = kind === "openai-compatible" ? "up to and with /v1" : "without /v1";
  const url = isOther ? await ask.line(`Its base URL, ${end}`, "") : undefined;
  const credentials = kind === "ollama" ? [] : await askCredentials(parts, name);
  return providerCalls(context, flags).create({ name, kind, base_url: url, credentials });
}

async function askCredentials({ ask }: SetupParts, name: string) {
  const key = await ask.unseen(`API key of ${name}; empty: it needs none`);
  return key === undefined ? [] : [{ type: "api_key", value: key.expose() }];
}

/** Tests it, and asks what to do as long as that fails. False where it was removed. */
async function keptAfterTest(parts: SetupParts, { name }: ShownProvider): Promise<boolean> {
  const { ask, say, context, flags } = parts;
  const calls = providerCalls(context, flags);
  for (;;) {
    const { ok, error } = await calls.test(name);
    if (ok) {
      const models = (await knownModels(context, flags)).filter(({ provider }) => provider === name);
      const some = models.slice(0, SHOWN_MODELS).map(({ id }) => `  ${printable(id)}`);
      const more = models.length > SHOWN_MODELS ? [`  and ${models.length - SHOWN_MODELS} more`] : [];
      say([`${name} answers. Its models:`, ...some, ...more].join("\n"));
      return true;
    }
    say(`${name} does not answer as it should: ${printable(error ?? "no reason was given")}`);
    const next = await ask.choice("What now?", [
      { value: "again", label: "test it again" },
      { value: "key", label: "give another API key" },
      { value: "keep", label: "keep it as it is" },
      { value: "remove", label: "remove it" },
    ]);
    if (next === "keep") return true;
    if (next === "key")
      await untilTaken(parts, async () =>
        calls.change(name, { credentials: await askCredentials(parts, name) }),
      );
    if (next === "remove") {
      await calls.remove(name);
      return false;
    }
  }
}
