import type { Command } from "commander";
import * as z from "zod";
import type { CommandContext } from "../command-context.ts";
import { callLocal, type LocalFlags } from "./local-server.ts";

const modelList = z.object({ data: z.array(z.object({ id: z.string(), owned_by: z.string() })) });

export interface KnownModel {
  /** What a program asks for: `provider/model`. */
  readonly id: string;
  readonly provider: string;
}

/** `claviger models`: what the providers say they serve, in the order of the providers. */
export function modelsCommand(program: Command, context: CommandContext): void {
  program
    .command("models")
    .description("list the models that the providers serve, by the names programs ask for")
    .option("--provider <name>", "of this provider only")
    .option("--data-dir <dir>", "the server's data directory")
    .option("--json", "print JSON")
    .action(async (flags: LocalFlags & { provider?: string }) => {
      const { provider } = flags;
      const models = await knownModels(context, flags);
      const rows = models.filter((model) => provider === undefined || model.provider === provider);
      const output = context.output();
      output.table(["id", "provider"], rows);
      if (rows.length === 0)
        output.note("No model is known; ask a provider with: claviger provider test NAME");
    });
}

/** The models of all providers; a provider that does not answer has none. */
export async function knownModels(
  context: CommandContext,
  flags: LocalFlags,
): Promise<readonly KnownModel[]> {
  const { body } = await callLocal(context, flags, { method: "GET", path: "/v1/models" });
  return modelList.parse(body).data.map(({ id, owned_by }) => ({ id, provider: owned_by }));
}
