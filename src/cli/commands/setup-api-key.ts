import { keyCalls } from "./api-key-calls.ts";
import { settingText, toolsFor } from "./connect.ts";
import { providerCalls } from "./provider-calls.ts";
import { type SetupParts, type SetupStep, showOnce, untilTaken } from "./setup-step.ts";

/** The first program's key, and how that program is told of it. */
export function apiKeyStep(parts: SetupParts): SetupStep {
  const { ask } = parts;
  const calls = keyCalls(parts.context, parts.flags);
  return {
    name: "api_key",
    command: "claviger api-key create NAME",
    done: async () => {
      const names = (await calls.list()).filter((key) => key.revoked_at === null).map(({ name }) => name);
      return names.length === 0 ? undefined : `keys for ${names.join(", ")}`;
    },
    run: async () => {
      if (!(await ask.yesOrNo("Make a key for your first program?", true))) return undefined;
      const issued = await untilTaken(parts, async () => {
        const name = await ask.line("The program's name", "my-app");
        return calls.create({ name, permissions: ["gateway"] });
      });
      await showOnce(parts, "the key", issued.key);
      await offerSettings(parts);
      return `keys for ${issued.name}`;
    },
  };
}

async function offerSettings(parts: SetupParts): Promise<void> {
  const { context, flags, ask, say } = parts;
  const [provider] = await providerCalls(context, flags).list();
  const tools = provider === undefined ? [] : toolsFor(provider.kind);
  if (provider === undefined || tools.length === 0) return;
  const choices = tools.map(({ tool, title }) => ({ value: tool, label: title }));
  const tool = await ask.choice("Settings for which program?", [...choices, { value: "", label: "none" }]);
  const text = await settingText(context, flags, { tool, provider });
  if (text !== undefined) say(`\n${text}\n`);
}
