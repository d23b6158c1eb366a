import { type RawBuilder, sql } from "kysely";
import { type SortPlace, type SortValue, sortOf, sortWords } from "#platform/lib/sorted-page.ts";
import type { Query } from "#platform/storage/database.ts";
import type { NamedIdentity } from "../principals/store.ts";
import { DAY_MS, type Period } from "./usage-period.ts";

export const GROUPINGS = ["key", "model", "provider", "day"] as const;
export type Grouping = (typeof GROUPINGS)[number];

/** Sums over one key, model, provider or day. */
export interface UsageSum {
  /** The principal's id, the model, the provider (empty for none) or the day's number. */
  readonly name: string | number;
  readonly requests: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  /** Of the requests whose price was known; null when that is none. */
  readonly cost_usd: number | null;
  readonly estimated_requests: number;
  /** Requests with tokens and without a known price. */
  readonly unpriced_requests: number;
}

/** By what sums can be sorted: what they are by, as people call it, or a figure. */
export const USAGE_SORTS = sortWords(["name", "requests", "input_tokens", "output_tokens", "cost_usd"]);
type UsageSort = (typeof USAGE_SORTS)[number];

/** A sum, and where it stands in the list that was asked for. */
export interface PlacedSum extends UsageSum {
  readonly place: SortPlace;
}

/** Which sums, and in which order. */
interface WantedSums {
  readonly by: Grouping;
  readonly period: Period;
  /** In the order of ids where it is left out. */
  readonly sort: UsageSort | undefined;
  /** The last one already seen. */
  readonly after: SortPlace | undefined;
  readonly limit: number;
  readonly identities: readonly NamedIdentity[];
}

const COLUMNS: Record<Grouping, RawBuilder<unknown>> = {
  key: sql`principal`,
  model: sql`model`,
  provider: sql`provider`,
  day: sql`day`,
};

/**
 * Sums in the order that is wanted, from behind `after` on; what is not known stands last, and of one value the id decides.
 * Whole days come from the daily sums, parts of a day from the request rows. Costs are added as integers and divided once.
 */
export async function usageSums(query: Query, wanted: WantedSums): Promise<readonly PlacedSum[]> {
  const { by, period, sort, limit, identities } = wanted;
  const { column, isDescending } = sort === undefined ? NO_SORT : sortOf(sort);
  const named = Object.fromEntries(identities.map(({ id, name }) => [id, name]));
  const { rows } = await sql<UsageSum & { sort_value: SortValue }>`
    WITH identity (id, name) AS MATERIALIZED (SELECT key, value FROM json_each(${JSON.stringify(named)})),
    summed AS (
      SELECT ${COLUMNS[by]} AS name, sum(requests) AS requests, sum(input_tokens) AS input_tokens,
        sum(output_tokens) AS output_tokens,
        CASE WHEN count(cost_nano_usd) > 0 THEN total(cost_nano_usd) / 1e9 END AS cost_usd,
        sum(estimated_requests) AS estimated_requests, sum(unpriced_requests) AS unpriced_requests
      FROM (${days(period)} UNION ALL ${partsOfDays(period)}) GROUP BY 1
    ), sorted AS (SELECT summed.*, ${sortValue(by, column)} AS sort_value FROM ${sumsFor(by, column)})
    SELECT * FROM sorted WHERE ${behind(wanted, isDescending)}
    ORDER BY sort_value IS NULL, sort_value ${isDescending ? sql`DESC` : sql`ASC`}, name LIMIT ${limit}`.execute(
    query,
  );
  return rows.map(({ sort_value: value, ...sum }) => ({ ...sum, place: { value, id: String(sum.name) } }));
}

const NO_SORT = { column: "id", isDescending: false } as const;
type SortColumn = ReturnType<typeof sortOf<Exclude<UsageSort, `-${string}`>>>["column"] | "id";

/** Only who sorts keys by their names needs the names of all of them. */
function sumsFor(by: Grouping, column: SortColumn): RawBuilder<unknown> {
  if (by !== "key" || column !== "name") return sql`summed`;
  return sql`summed LEFT JOIN api_key ON api_key.id = summed.name LEFT JOIN identity ON identity.id = summed.name`;
}

function sortValue(by: Grouping, column: SortColumn): RawBuilder<unknown> {
  if (column === "id" || (column === "name" && by === "day")) return sql`summed.name`;
  if (column !== "name") return sql.ref(`summed.${column}`);
  return by === "key"
    ? sql`lower(coalesce(api_key.name, identity.name, summed.name))`
    : sql`lower(summed.name)`;
}

function behind({ by, after }: WantedSums, isDescending: boolean): RawBuilder<unknown> {
  if (after === undefined) return sql`TRUE`;
  const { value } = after;
  const id = by === "day" ? Number(after.id) : after.id;
  if (value === null) return sql`sort_value IS NULL AND name > ${id}`;
  const farther = isDescending ? sql`sort_value < ${value}` : sql`sort_value > ${value}`;
  return sql`(sort_value IS NULL OR ${farther} OR (sort_value = ${value} AND name > ${id}))`;
}

/** The days of which the period takes a part and the request rows are not all there any more. */
export async function incompleteDays(query: Query, period: Period): Promise<readonly number[]> {
  const edges = [period.from, period.to].filter((time) => time % DAY_MS !== 0);
  const numbers = [...new Set(edges.map((time) => Math.floor(time / DAY_MS)))];
  const incomplete: number[] = [];
  for (const day of numbers) {
    const { rows } = await sql<{ counted: number; kept: number }>`
      SELECT (SELECT coalesce(sum(requests), 0) FROM usage_day_now WHERE day = ${day}) AS counted,
        (SELECT count(*) FROM request WHERE time >= ${day * DAY_MS} AND time < ${(day + 1) * DAY_MS}) AS kept
      `.execute(query);
    if (rows.some(({ counted, kept }) => kept < counted)) incomplete.push(day);
  }
  return incomplete;
}

function days({ from, to }: Period): RawBuilder<unknown> {
  return sql`SELECT day, principal, provider, model, requests, input_tokens, output_tokens, cost_nano_usd,
      estimated_requests, unpriced_requests
    FROM usage_day_now WHERE day >= ${Math.ceil(from / DAY_MS)} AND day < ${Math.floor(to / DAY_MS)}`;
}

/** What lies before the first whole day and behind the last; in one day without a midnight, the period itself. */
function partsOfDays({ from, to }: Period): RawBuilder<unknown> {
  const firstMidnight = Math.ceil(from / DAY_MS) * DAY_MS;
  const lastMidnight = Math.floor(to / DAY_MS) * DAY_MS;
  const head = Math.min(firstMidnight, to);
  const tail = Math.max(lastMidnight, head);
  return sql`SELECT time / ${DAY_MS} AS day, principal, coalesce(provider, '') AS provider, model, 1,
      coalesce(input_tokens, 0), coalesce(output_tokens, 0), cost_nano_usd, estimated,
      coalesce(input_tokens, output_tokens) IS NOT NULL AND cost_nano_usd IS NULL
    FROM request WHERE (time >= ${from} AND time < ${head}) OR (time >= ${tail} AND time < ${to})`;
}
