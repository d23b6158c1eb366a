/** Everything a server tells those who listen. */
export const EVENT_TYPES = [
  "seal.locked",
  "seal.unlocked",
  "seal.reseal",
  "key.created",
  "key.updated",
  "key.rotated",
  "key.revoked",
  "key.expired",
  "config.reloaded",
  "config.refused",
  "node.joined",
  "node.up",
  "node.down",
  "node.needs_pin",
  "node.changed",
  "node.left",
  "usage.recorded",
  "disk.low",
  "disk.ok",
] as const;

export type EventType = (typeof EVENT_TYPES)[number];

/** What came with an event: plain JSON. Those of `key.*` bear the key's `id` and its `name`, by which they are shown. */
export type EventDetails = Readonly<Record<string, unknown>>;

export interface ServerEvent {
  /** Later ones are greater as text, also after a restart: see `EventBus`. */
  readonly id: string;
  readonly type: EventType;
  /** RFC 3339 in UTC. */
  readonly time: string;
  readonly data: EventDetails;
}

/** Where features say what happened. It neither waits nor throws. */
export interface EventSink {
  publish(type: EventType, data: EventDetails): void;
}
