import type { Command } from "commander";
import { z } from "zod";
import type { CommandContext } from "../command-context.ts";
import { readSecret } from "../prompt.ts";
import { callLocal, type LocalFlags } from "./local-server.ts";

const providerBody = z.object({
  name: z.string(),
  kind: z.string(),
  base_url: z.string(),
  credentials: z.array(z.object({ id: z.string(), type: z.string(), hint: z.string() })),
});
const providerPage = z.object({ data: z.array(providerBody), next_cursor: z.string().nullable() });
const PATH = "/api/v1/providers";

/** `claviger provider add | list | set-credential | remove`. */
export function providerCommands(program: Command, context: CommandContext): void {
  const provider = program.command("provider").description("the upstreams this server stands in front of");
  const common = (command: Command) =>
    command.option("--data-dir <dir>", "the server's data directory").option("--json", "print JSON");
  common(
    provider
      .command("add <name>")
      .description("add a provider; its API key is asked for, or read from stdin"),
  )
    .option("--kind <kind>", "openai or openai-compatible", "openai")
    .option("--base-url <url>", "where its API is, up to and with /v1")
    .option("--no-credential", "the upstream needs none")
    .action(
      async (name: string, flags: LocalFlags & { kind: string; baseUrl?: string; credential: boolean }) => {
        const credentials = flags.credential ? [await askCredential(name)] : [];
        const body = {
          name,
          kind: flags.kind,
          ...(flags.baseUrl === undefined ? {} : { base_url: flags.baseUrl }),
          credentials,
        };
        const added = providerBody.parse(
          (await callLocal(context, flags, { method: "POST", path: PATH, body })).body,
        );
        context.output().result(added, () => `provider ${added.name} added: ${added.base_url}`);
      },
    );
  common(provider.command("list").description("list the providers")).action(async (flags: LocalFlags) => {
    const { data } = providerPage.parse(
      (await callLocal(context, flags, { method: "GET", path: `${PATH}?limit=1000` })).body,
    );
    const rows = data.map((row) => ({
      ...row,
      credentials: row.credentials.map(({ hint }) => `…${hint}`).join(" "),
    }));
    context.output().table(["name", "kind", "base_url", "credentials"], rows);
  });
  common(
    provider
      .command("set-credential <name>")
      .description("replace a provider's API key; asked for, or read from stdin"),
  ).action(async (name: string, flags: LocalFlags) => {
    const body = { credentials: [await askCredential(name)] };
    const changed = providerBody.parse(
      (
        await callLocal(context, flags, {
          method: "PATCH",
          path: `${PATH}/${encodeURIComponent(name)}`,
          body,
        })
      ).body,
    );
    context.output().result(changed, () => `credential of ${changed.name} replaced`);
  });
  common(provider.command("remove <name>").description("remove a provider and its credentials")).action(
    async (name: string, flags: LocalFlags) => {
      await callLocal(context, flags, { method: "DELETE", path: `${PATH}/${encodeURIComponent(name)}` });
      context.output().result({ removed: name }, () => `provider ${name} removed`);
    },
  );
}

async function askCredential(name: string): Promise<{ type: "api_key"; value: string }> {
  const secret = await readSecret({
    label: `API key of ${name}`,
    input: process.stdin,
    isTerminal: process.stdin.isTTY === true,
  });
  return { type: "api_key", value: secret.expose() };
}
