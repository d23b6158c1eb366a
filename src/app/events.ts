import { EventBus } from "#platform/events/event-bus.ts";
import { nextEventEpoch } from "#platform/events/event-epoch.ts";
import type { Gates } from "#platform/http/pipeline.ts";
import type { Clock } from "#platform/lib/clock.ts";
import type { Metrics } from "#platform/log/metrics/metrics.ts";
import type { Database } from "#platform/storage/database.ts";
import type { SharedFlag } from "#platform/threads/shared-flag.ts";
import { EventStreams } from "#services/control/index.ts";
import { type UsageSum, UsageSums } from "./usage-sums.ts";

const SUM_EVERY_MS = 1000;
const NANO = 1e9;

/** Who listens, and what was used, summed for those who do. */
interface Listening {
  readonly streams: EventStreams;
  readonly usage: UsageSums;
}

/** The events of this run of the server. */
export async function openEventBus(parts: {
  readonly database: Database;
  readonly clock: Clock;
  readonly metrics: Metrics;
}): Promise<EventBus> {
  const { clock, metrics } = parts;
  const epoch = await nextEventEpoch(parts.database, clock);
  return new EventBus({ clock, epoch, onPublish: (type) => metrics.events.published(type) });
}

/** Lets events be listened to. `watched` is for all threads: raised while somebody does. */
export function openListening(parts: {
  readonly bus: EventBus;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly gates: Gates;
  readonly watched: SharedFlag;
}): Listening {
  const { bus, clock, metrics, gates, watched } = parts;
  const usage = new UsageSums(watched);
  let summing: NodeJS.Timeout | undefined;
  const onWatched = (isWatched: boolean) => {
    clearInterval(summing);
    // What was left when the last one went is none of the next one's second.
    usage.take();
    if (!isWatched) return watched.lower();
    watched.raise();
    summing = setInterval(() => publishUsage(bus, usage.take()), SUM_EVERY_MS).unref();
  };
  const streams = new EventStreams({ bus, gates, clock, onWatched });
  metrics.events.countingSubscribers(() => streams.size);
  return { streams, usage };
}

function publishUsage(bus: EventBus, sums: readonly UsageSum[]): void {
  if (sums.length === 0) return;
  const shown = sums.map(({ cost_nano_usd, ...sum }) => ({ ...sum, cost_usd: cost_nano_usd / NANO }));
  bus.publish("usage.recorded", { sums: shown });
}
