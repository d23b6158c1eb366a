import { type Command, Option } from "commander";
import * as z from "zod";
import { sortWords } from "#platform/lib/sorted-page.ts";
import type { CommandContext } from "../command-context.ts";
import { callLocal, type LocalFlags } from "./local-server.ts";

const figure = z.number().nullable();
const model = z.object({
  id: z.string(),
  provider: z.string(),
  context_window: figure,
  input_usd_per_million: figure,
  output_usd_per_million: figure,
});
const page = z.object({ data: z.array(model), next_cursor: z.string().nullable() });

const COLUMNS = [
  "id",
  "provider",
  "context_window",
  "input_usd_per_million",
  "output_usd_per_million",
] as const;

/** What a program asks for, `provider/model`, and what is known of it. */
export type KnownModel = z.infer<typeof model>;

const SORTS = sortWords(["id", "context_window", "input_usd_per_million", "output_usd_per_million"]);

interface WantedModels {
  readonly provider?: string;
  readonly search?: string;
  readonly sort?: string;
}

/** `claviger models`: what the providers say they serve, in the order of the providers unless a sort is asked for. */
export function modelsCommand(program: Command, context: CommandContext): void {
  program
    .command("models")
    .description("list the models that the providers serve, by the names programs ask for")
    .option("--provider <name>", "of this provider only")
    .option("--search <text>", "with this text in their names only")
    .addOption(
      new Option(
        "--sort <column>",
        "by name, window or price; with - before it the largest first, such as --sort=-context_window",
      ).choices(SORTS),
    )
    .option("--data-dir <dir>", "the server's data directory")
    .option("--json", "print JSON")
    .action(async (flags: LocalFlags & WantedModels) => {
      const rows = await knownModels(context, flags);
      const output = context.output();
      output.table(COLUMNS, rows);
      if (rows.length === 0)
        output.note("No model is known; ask a provider with: claviger provider test NAME");
    });
}

/** The models of all providers, or of those that are asked for; a provider that does not answer has none. */
export async function knownModels(
  context: CommandContext,
  flags: LocalFlags & WantedModels,
): Promise<readonly KnownModel[]> {
  const { provider, search, sort } = flags;
  const wanted = {
    limit: "1000",
    ...(provider && { provider }),
    ...(search && { search }),
    ...(sort && { sort }),
  };
  const found: KnownModel[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const query = new URLSearchParams({ ...wanted, ...(cursor !== "" && { cursor }) });
    const path = `/api/v1/models?${query}`;
    const { data, next_cursor } = page.parse((await callLocal(context, flags, { method: "GET", path })).body);
    found.push(...data);
    cursor = next_cursor;
  }
  return found;
}
