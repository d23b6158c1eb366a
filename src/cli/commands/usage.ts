import { type Command, Option } from "commander";
import * as z from "zod";
import type { CommandContext } from "../command-context.ts";
import { callLocal, type LocalFlags } from "./local-server.ts";
import { GROUPS, type Group, type UsageRow, usageCsv, usageTable } from "./usage-report.ts";

interface UsageFlags extends LocalFlags {
  readonly by: Group;
  readonly from?: string;
  readonly to?: string;
  readonly csv?: boolean;
  readonly json?: boolean;
}

const row = z.object({
  key: z.string().optional(),
  model: z.string().optional(),
  provider: z.string().nullable().optional(),
  day: z.string().optional(),
  requests: z.number(),
  input_tokens: z.number(),
  output_tokens: z.number(),
  cost_usd: z.number().nullable(),
  estimated_requests: z.number(),
  unpriced_requests: z.number(),
});
const page = z.object({ data: z.array(row), next_cursor: z.string().nullable() });

/** `claviger usage`: requests, tokens and cost by key, model, provider or day, as a table, CSV or JSON. */
export function usageCommand(program: Command, context: CommandContext): void {
  program
    .command("usage")
    .description("show what was used and what it cost; the last 30 days unless said")
    .addOption(new Option("--by <what>", "one row for each").choices(GROUPS).default("day"))
    .option("--from <time>", "first day or moment, such as 2026-11-01")
    .option("--to <time>", "the day or moment before which it ends")
    .option("--data-dir <dir>", "the server's data directory")
    .addOption(new Option("--csv", "print CSV (RFC 4180)").conflicts("json"))
    .option("--json", "print JSON")
    .action(async (flags: UsageFlags) => {
      const rows = await fetchRows(context, flags);
      const output = context.output();
      if (flags.csv === true || flags.json === true)
        return output.result(rows, () => usageCsv(flags.by, rows));
      const { columns, cells } = usageTable(
        flags.by,
        rows,
        process.stdout.isTTY ? process.stdout.columns : undefined,
      );
      output.table(columns, cells);
      const unpriced = rows.reduce((sum, { unpriced_requests }) => sum + unpriced_requests, 0);
      if (unpriced > 0)
        output.note(
          `${unpriced} requests have no known price; their cost is not in the sums (docs/usage.md).`,
        );
    });
}

async function fetchRows(context: CommandContext, flags: UsageFlags): Promise<readonly UsageRow[]> {
  const rows: UsageRow[] = [];
  let cursor: string | null = null;
  do {
    const query = new URLSearchParams({ by: flags.by, limit: "1000" });
    if (flags.from !== undefined) query.set("from", flags.from);
    if (flags.to !== undefined) query.set("to", flags.to);
    if (cursor !== null) query.set("cursor", cursor);
    const { body } = await callLocal(context, flags, { method: "GET", path: `/api/v1/usage?${query}` });
    const { data, next_cursor } = page.parse(body);
    rows.push(...data);
    cursor = next_cursor;
  } while (cursor !== null);
  return rows;
}
