import { AppError } from "#platform/lib/error.ts";
import type { Query } from "#platform/storage/database.ts";
import { findNamedKey } from "./store.ts";

const LONGEST_NAME = 63;

/** Throws AppError `conflict` when a key that is not revoked has this name. */
export async function refuseTaken(query: Query, name: string): Promise<void> {
  if ((await findNamedKey(query, name)) !== undefined)
    throw new AppError("conflict", `There is a key called "${name}" already.`);
}

/** What a key is called that is to end at `untilMs` because another took its name: `web-until-20260102T030405Z`. */
export async function nameUntil(query: Query, name: string, untilMs: number): Promise<string> {
  const until = `-until-${new Date(untilMs).toISOString().replaceAll(/[-:]|\.\d+/g, "")}`;
  for (let number = 1; ; number++) {
    const end = number === 1 ? until : `${until}-${number}`;
    const candidate = name.slice(0, LONGEST_NAME - end.length) + end;
    if ((await findNamedKey(query, candidate)) === undefined) return candidate;
  }
}
