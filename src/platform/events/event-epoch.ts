import type { Clock } from "../lib/clock.ts";
import type { Database } from "../storage/database.ts";
import { readMeta, writeMeta } from "../storage/meta.ts";

const FACTS = "events.";
const EPOCH = "epoch";

/**
 * The number by which this run's events are told from those of every run before: the time of the start, or one more than
 * the last run's where the clock was set back. A store that takes no writing keeps nobody from starting: then it is the
 * time alone.
 */
export async function nextEventEpoch(database: Database, clock: Clock): Promise<number> {
  const stored = (await readMeta(database.query, FACTS)).get(EPOCH);
  const epoch = Math.max(clock.now(), Number(stored ?? 0) + 1);
  const facts = new Map([[EPOCH, String(epoch)]]);
  await database.transaction((query) => writeMeta(query, FACTS, facts)).catch(() => undefined);
  return epoch;
}
