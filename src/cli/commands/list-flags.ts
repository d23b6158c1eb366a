import { type Command, InvalidArgumentError, Option } from "commander";
import * as z from "zod";
import { sortWords } from "#platform/lib/sorted-page.ts";
import type { CommandContext } from "../command-context.ts";
import { callLocal, type LocalFlags } from "./local-server.ts";

export interface ListFlags extends LocalFlags {
  readonly sort?: string;
  readonly search?: string;
  readonly state?: string;
  readonly limit: number;
}

const PAGE = 1000;
const page = z.object({ data: z.array(z.unknown()), next_cursor: z.string().nullable() });

/** The flags of a list that the server sorts by these columns, and filters, where it has any, by these states. */
export function withListFlags(
  command: Command,
  { columns, states }: { readonly columns: readonly string[]; readonly states?: readonly string[] },
): Command {
  command
    .addOption(
      new Option("--sort <column>", "in this order; with - before it the other way").choices(
        sortWords(columns),
      ),
    )
    .option("--search <text>", "with this text in their names or ids only");
  if (states !== undefined)
    command.addOption(new Option("--state <state>", "in this state only").choices(states));
  return command.addOption(new Option("--limit <count>", "at most so many").argParser(countOf).default(PAGE));
}

/** What a list of the server has, as much of it as the flags ask for; that there is more is noted. */
export async function listed<Row>(
  context: CommandContext,
  flags: ListFlags,
  { path, row }: { readonly path: string; readonly row: z.ZodType<Row> },
): Promise<Row[]> {
  const found: Row[] = [];
  for (let cursor: string | null = ""; cursor !== null && found.length < flags.limit; ) {
    const query = new URLSearchParams({ limit: String(Math.min(PAGE, flags.limit - found.length)) });
    for (const name of ["sort", "search", "state"] as const)
      if (flags[name] !== undefined) query.set(name, flags[name]);
    if (cursor !== "") query.set("cursor", cursor);
    const { body } = await callLocal(context, flags, { method: "GET", path: `${path}?${query}` });
    const { data, next_cursor } = page.parse(body);
    found.push(...z.array(row).parse(data));
    cursor = next_cursor;
    if (cursor !== null && found.length >= flags.limit)
      context.output().note(`There are more than these ${found.length}: --limit takes another number.`);
  }
  return found;
}

function countOf(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError("A whole number from 1 on is needed.");
  return Number(text);
}
