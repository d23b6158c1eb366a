import { sql } from "kysely";
import type { Database } from "#platform/storage/database.ts";
import type { Tables } from "#platform/storage/tables.ts";

type Row = Omit<Tables["request"], "seq" | "cost_usd" | "estimated" | "id_tells_time"> & {
  estimated: number;
};
type Sums = Readonly<Record<string, readonly number[]>>;

const STEPS_MS = [60_000, 3_600_000, 86_400_000];

/** Added up by hand: what the store's sums of these rows must be, in the order of `storedSums`. */
export function expectedSums(rows: readonly Row[]): Sums {
  const sums: Record<string, number[]> = {};
  const add = (key: readonly unknown[], figures: readonly number[]) => {
    const name = key.join("|");
    sums[name] = figures.map((figure, at) => figure + (sums[name]?.[at] ?? 0));
  };
  for (const row of rows) {
    const errors = [row.status >= 400 && row.status < 500 ? 1 : 0, row.status >= 500 ? 1 : 0];
    const used = [row.input_tokens ?? 0, row.output_tokens ?? 0, row.cost_nano_usd ?? 0];
    const isUnpriced = (row.input_tokens ?? row.output_tokens) !== null && row.cost_nano_usd === null;
    const doubts = [row.estimated, isUnpriced ? 1 : 0];
    const who = [row.provider ?? "", row.model];
    add(
      ["day", Math.floor(row.time / 86_400_000), row.principal, ...who],
      [1, ...used, ...doubts, ...errors],
    );
    add(["principal", row.time - (row.time % 3_600_000), row.principal], [1, ...used, ...errors]);
    for (const step of STEPS_MS) {
      const start = row.time - (row.time % step);
      add(["step", step, start, ...who], [1, ...used, ...doubts, ...errors]);
      add(["latencies", step, start, ...who], [1, row.first_byte_ms === null ? 0 : 1]);
    }
  }
  return sums;
}

/** The sums as they are stored; what is not summed yet is in none. */
export async function storedSums({ query }: Database): Promise<Sums> {
  const used = sql`input_tokens, output_tokens, coalesce(cost_nano_usd, 0)`;
  const { rows } = await sql<{ key: string; figures: string }>`
    SELECT 'day|' || day || '|' || principal || '|' || provider || '|' || model AS key, json_array(requests, ${used},
      estimated_requests, unpriced_requests, client_errors, server_errors) AS figures FROM usage_day
    UNION ALL SELECT 'principal|' || start || '|' || principal,
      json_array(requests, ${used}, client_errors, server_errors) FROM principal_hour
    UNION ALL SELECT 'step|' || step || '|' || start || '|' || provider || '|' || model, json_array(requests, ${used},
      estimated_requests, unpriced_requests, client_errors, server_errors) FROM usage_step
    UNION ALL SELECT 'latencies|' || step || '|' || start || '|' || provider || '|' || model,
      json_array(sum(requests), sum(first_bytes)) FROM latency_step GROUP BY 1`.execute(query);
  return Object.fromEntries(rows.map(({ key, figures }) => [key, JSON.parse(figures)]));
}
