import { type Command, InvalidArgumentError, Option } from "commander";
import * as z from "zod";
import type { CommandContext } from "../command-context.ts";
import { callLocal, type LocalFlags } from "./local-server.ts";
import {
  type OverviewFlags,
  STEPS,
  showOverview,
  showTop,
  TOP_BY,
  TOP_METRICS,
  type TopFlags,
} from "./usage-overview.ts";
import { GROUPS, type Group, SORTS, type UsageRow, usageCsv, usageTable } from "./usage-report.ts";
import { ORDERS, type RequestsFlags, showRequests } from "./usage-requests.ts";

interface UsageFlags extends LocalFlags {
  readonly by: Group;
  readonly sort?: (typeof SORTS)[number];
  readonly from?: string;
  readonly to?: string;
  readonly csv?: boolean;
  readonly json?: boolean;
}

const row = z.object({
  key: z.string().optional(),
  name: z.string().nullable().optional(),
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

/** `claviger usage`: what was used and what it cost, as sums, step by step, by who used most, and request by request. */
export function usageCommand(program: Command, context: CommandContext): void {
  const usage = program.command("usage").description("show what was used and what it cost");
  withPeriod(
    usage
      .command("sums", { isDefault: true })
      .description("sums over the last 30 days unless said; this is meant by usage alone")
      .addOption(new Option("--by <what>", "one row for each").choices(GROUPS).default("day"))
      .addOption(
        new Option(
          "--sort <column>",
          "by name, or by a figure; with - before it the largest first, such as --sort=-cost_usd",
        ).choices(SORTS),
      ),
  )
    .addOption(new Option("--csv", "print CSV (RFC 4180)").conflicts("json"))
    .action((flags: UsageFlags) => showSums(context, flags));
  withPeriod(
    usage
      .command("overview")
      .description("step by step, with latencies, and the period before; the last day unless said")
      .addOption(new Option("--step <step>", "how long a step is").choices(STEPS).default("auto")),
  ).action((flags: OverviewFlags) => showOverview(context, flags));
  withPeriod(
    usage
      .command("top")
      .description("who or what used the most; of the last day unless said")
      .addOption(new Option("--by <what>", "one row for each").choices(TOP_BY).default("key"))
      .addOption(new Option("--metric <figure>", "the most of this").choices(TOP_METRICS).default("requests"))
      .option("-n, --lines <count>", "how many", lineCount, 10),
  ).action((flags: TopFlags) => showTop(context, flags));
  withPeriod(
    usage
      .command("requests")
      .description("the newest requests, or the oldest; the newer ones last")
      .option("--key <id-or-name>", "only of this key or identity")
      .option("--provider <name>", "only those that reached this provider")
      .option("--model <model>", "only for this model")
      .option("--status <status>", "only with this status, such as 429, or of this class, such as 4xx")
      .option("--request-id <id>", "only this one")
      .option("-n, --lines <count>", "how many", lineCount, 20)
      .addOption(new Option("--order <order>", "which of those that fit").choices(ORDERS).default("newest"))
      .addOption(new Option("-f, --follow", "go on with those that come").conflicts("order")),
  ).action((flags: RequestsFlags) => showRequests(context, flags));
}

function withPeriod(command: Command): Command {
  return command
    .option("--from <time>", "first day or moment, such as 2026-11-01")
    .option("--to <time>", "the day or moment before which it ends")
    .option("--data-dir <dir>", "the server's data directory")
    .option("--json", "print JSON");
}

function lineCount(text: string): number {
  const count = /^[1-9]\d{0,3}$/.test(text) ? Number(text) : Number.NaN;
  if (!(count <= 1000)) throw new InvalidArgumentError("A whole number from 1 to 1000 is needed.");
  return count;
}

async function showSums(context: CommandContext, flags: UsageFlags): Promise<void> {
  const rows = await fetchRows(context, flags);
  const output = context.output();
  if (flags.csv === true || flags.json === true) return output.result(rows, () => usageCsv(flags.by, rows));
  const width = process.stdout.isTTY ? process.stdout.columns : undefined;
  const { columns, cells } = usageTable(flags.by, rows, width);
  output.table(columns, cells);
  const unpriced = rows.reduce((sum, { unpriced_requests }) => sum + unpriced_requests, 0);
  if (unpriced > 0)
    output.note(`${unpriced} requests have no known price; their cost is not in the sums (docs/usage.md).`);
}

async function fetchRows(context: CommandContext, flags: UsageFlags): Promise<readonly UsageRow[]> {
  const rows: UsageRow[] = [];
  let cursor: string | null = null;
  do {
    const query = new URLSearchParams({ by: flags.by, limit: "1000" });
    if (flags.sort !== undefined) query.set("sort", flags.sort);
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
