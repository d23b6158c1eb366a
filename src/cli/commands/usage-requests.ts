import { setTimeout as delay } from "node:timers/promises";
import * as z from "zod";
import type { CommandContext } from "../command-context.ts";
import { printable } from "../output.ts";
import { callLocal, type LocalFlags } from "./local-server.ts";
import { principalMeant } from "./usage-principal.ts";

export const ORDERS = ["newest", "oldest"] as const;

export interface RequestsFlags extends LocalFlags {
  readonly from?: string;
  readonly to?: string;
  readonly key?: string;
  readonly provider?: string;
  readonly model?: string;
  readonly status?: string;
  readonly requestId?: string;
  readonly order: (typeof ORDERS)[number];
  readonly lines: number;
  readonly follow?: boolean;
  readonly json?: boolean;
}

const LOOK_AGAIN_MS = 1000;
const PAGE = 1000;
/** Pages looked at for what is new: a stream's row comes when it has ended, and stands where it began. */
const MOST_PAGES = 10;

const row = z
  .object({
    time: z.string(),
    request_id: z.string(),
    principal: z.string(),
    principal_name: z.string().nullable(),
    model: z.string(),
    status: z.number(),
    latency_ms: z.number(),
    input_tokens: z.number().nullable(),
    output_tokens: z.number().nullable(),
  })
  .loose();
const page = z.object({ data: z.array(row), next_cursor: z.string().nullable() });
type Row = z.infer<typeof row>;

/** `usage requests`: the newest rows that fit, or the oldest, the newer ones last; with `--follow` also those that come. */
export async function showRequests(context: CommandContext, asked: RequestsFlags): Promise<void> {
  const { key } = asked;
  const flags = key === undefined ? asked : { ...asked, key: await principalMeant(context, asked, key) };
  const output = context.output();
  const print = (each: Row) => output.result(each, () => line(each));
  const first =
    flags.follow === true
      ? await recentRows(context, flags, new Set())
      : (await ask(context, flags, { limit: String(flags.lines), order: flags.order })).data;
  const shown = first.slice(0, flags.lines);
  for (const each of flags.order === "oldest" ? shown : shown.toReversed()) print(each);
  if (flags.follow !== true) return;
  let seen = new Set(first.map(placeOf));
  for (;;) {
    await delay(LOOK_AGAIN_MS);
    const recent = await recentRows(context, flags, seen);
    for (const each of recent.toReversed()) if (!seen.has(placeOf(each))) print(each);
    seen = new Set([...seen, ...recent.map(placeOf)].slice(-2 * MOST_PAGES * PAGE));
  }
}

/** Pages of the newest rows, until one holds nothing new. */
async function recentRows(
  context: CommandContext,
  flags: RequestsFlags,
  seen: ReadonlySet<string>,
): Promise<Row[]> {
  const rows: Row[] = [];
  let cursor: string | null = null;
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    const { data, next_cursor }: z.infer<typeof page> = await ask(context, flags, {
      limit: String(PAGE),
      ...(cursor === null ? {} : { cursor }),
    });
    rows.push(...data);
    if (next_cursor === null || seen.size === 0 || data.every((each) => seen.has(placeOf(each)))) break;
    cursor = next_cursor;
  }
  return rows;
}

function placeOf({ time, request_id }: Row): string {
  return `${time} ${request_id}`;
}

async function ask(
  context: CommandContext,
  flags: RequestsFlags,
  asked: Readonly<Record<string, string>>,
): Promise<z.infer<typeof page>> {
  const query = new URLSearchParams(asked);
  for (const name of ["from", "to", "provider", "model", "status"] as const) {
    const value = flags[name];
    if (value !== undefined) query.set(name, value);
  }
  // In a URL `key` would be taken for a credential.
  if (flags.key !== undefined) query.set("principal", flags.key);
  if (flags.requestId !== undefined) query.set("request_id", flags.requestId);
  const { body } = await callLocal(context, flags, { method: "GET", path: `/api/v1/requests?${query}` });
  return page.parse(body);
}

/** For a person: what happened, without what only a program wants. */
function line({
  time,
  status,
  principal,
  principal_name,
  model,
  latency_ms,
  input_tokens,
  output_tokens,
  request_id,
}: Row): string {
  const tokens = `${input_tokens ?? "-"}/${output_tokens ?? "-"}`;
  return printable(
    `${time} ${status} ${principal_name ?? "-"} ${principal} ${model} ${latency_ms.toFixed(0)}ms ${tokens} ${request_id}`,
  );
}
