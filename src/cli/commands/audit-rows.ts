import { setTimeout as delay } from "node:timers/promises";
import * as z from "zod";
import type { CommandContext } from "../command-context.ts";
import { csvText } from "../csv.ts";
import { printable } from "../output.ts";
import { callLocal, type LocalFlags } from "./local-server.ts";

interface FilterFlags extends LocalFlags {
  readonly actor?: string;
  readonly action?: string;
  readonly target?: string;
  readonly outcome?: string;
  readonly since?: string;
  readonly until?: string;
}

export interface ExportFlags extends FilterFlags {
  readonly format: "jsonl" | "csv";
}

export interface TailFlags extends FilterFlags {
  readonly lines: number;
  readonly follow?: boolean;
}

const LOOK_AGAIN_MS = 1000;
const PAGE = 1000;
const COLUMNS = [
  "chain",
  "seq",
  "time",
  "actor",
  "action",
  "target",
  "outcome",
  "address",
  "request_id",
  "count",
  "hash",
] as const;
const text = z.string().nullable();
const row = z.object({
  chain: z.string(),
  seq: z.number(),
  time: z.string(),
  actor: z.string(),
  action: z.string(),
  target: text,
  outcome: z.string(),
  address: text,
  request_id: text,
  count: z.number(),
  hash: text,
});
const page = z.object({ data: z.array(row), next_cursor: z.string().nullable() });
type Row = z.infer<typeof row>;

/** `audit export`: all rows that fit, as they come, so that a million of them need no more memory than a page. */
export async function exportAudit(context: CommandContext, flags: ExportFlags): Promise<void> {
  const output = context.output();
  const csv = flags.format === "csv";
  if (csv) output.result(COLUMNS, () => `${COLUMNS.join(",")}\r`);
  for await (const rows of pages(context, flags, { order: "oldest" }))
    for (const each of rows)
      output.result(each, () =>
        csv
          ? `${COLUMNS.map((column) => csvText(String(each[column] ?? ""))).join(",")}\r`
          : JSON.stringify(each),
      );
}

/** `audit tail`: the newest rows that fit, and with `--follow` those that come. */
export async function tailAudit(context: CommandContext, flags: TailFlags): Promise<void> {
  const output = context.output();
  const print = (each: Row) => output.result(each, () => line(each));
  const found = await ask(context, flags, { order: "newest", limit: String(Math.min(flags.lines, PAGE)) });
  for (const each of found.data.toReversed()) print(each);
  let after = found.data[0]?.seq ?? 0;
  while (flags.follow === true) {
    await delay(LOOK_AGAIN_MS);
    for await (const rows of pages(context, flags, { order: "oldest", after: String(after) }))
      for (const each of rows) {
        print(each);
        after = each.seq;
      }
  }
}

async function* pages(
  context: CommandContext,
  flags: FilterFlags,
  asked: Readonly<Record<string, string>>,
): AsyncIterable<readonly Row[]> {
  let cursor: string | null = null;
  do {
    const more: Record<string, string> = cursor === null ? {} : { cursor };
    const answer = await ask(context, flags, { ...asked, ...more, limit: String(PAGE) });
    yield answer.data;
    cursor = answer.next_cursor;
  } while (cursor !== null);
}

async function ask(
  context: CommandContext,
  flags: FilterFlags,
  asked: Readonly<Record<string, string>>,
): Promise<z.infer<typeof page>> {
  const query = new URLSearchParams(asked);
  for (const name of ["actor", "action", "target", "outcome", "since", "until"] as const) {
    const value = flags[name];
    if (value !== undefined) query.set(name, value);
  }
  const { body } = await callLocal(context, flags, { method: "GET", path: `/api/v1/audit?${query}` });
  return page.parse(body);
}

/** For a person: what happened, without what only a program wants. */
function line({ seq, time, outcome, actor, action, target, address, count }: Row): string {
  const times = count === 1 ? "" : ` x${count}`;
  return printable(
    `${seq} ${time} ${outcome} ${actor} ${action} ${target ?? "-"} ${address ?? "control-socket"}${times}`,
  );
}
