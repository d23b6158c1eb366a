import { type Logger, pino } from "pino";
import { systemClock, toTimestamp } from "../lib/clock.ts";
import { type AccessEntry, accessLine } from "./access-line.ts";

export interface Log extends Logger {
  /** A request is over: its line at level `info`. */
  access(entry: AccessEntry): void;
}

/** Where lines of the log go; one or more whole lines at a time. */
export interface LogSink {
  write(lines: string): void;
}

/** Field names that may reach the sink; whatever else a caller adds is dropped, so a slip cannot leak a secret. */
const ALLOWED_FIELDS = new Set([
  "address",
  "caller",
  "code",
  "detail",
  "error",
  "first_byte_ms",
  "latency_ms",
  "listener",
  "method",
  "model",
  "name",
  "principal",
  "provider",
  "reason",
  "request_id",
  "route",
  "rows",
  "status",
  "streamed",
  "thread",
  "url",
  "version",
  "time",
  "input_tokens",
  "output_tokens",
  "cost_usd",
]);

/** The server's log, as lines of JSON to `sink`. Only allow-listed fields pass, at every level. */
export function createLog({ level, sink }: { level: string; sink: LogSink }): Log {
  const logger = pino(
    {
      level,
      base: null,
      // Set with the fields, where a row that brings its own time replaces it: written by pino the key would be there twice.
      timestamp: false,
      formatters: { log: (fields) => keepAllowed(fields) },
    },
    sink,
  );
  return Object.assign(logger, { access: accessWriter(sink, logger.isLevelEnabled("info")) });
}

function accessWriter(sink: LogSink, isShown: boolean): Log["access"] {
  if (!isShown) return () => {};
  // Many requests end within a millisecond.
  let atMs = Number.NaN;
  let time = "";
  return (entry) => {
    const now = systemClock.now();
    if (now !== atMs) {
      atMs = now;
      time = toTimestamp(now);
    }
    sink.write(accessLine(entry, time));
  };
}

/** Only plain values: an object under an allowed name could bring anything along. */
function keepAllowed(fields: Record<string, unknown>): Record<string, unknown> {
  const kept: Record<string, unknown> = { time: toTimestamp(systemClock.now()) };
  for (const name of Object.keys(fields))
    if (ALLOWED_FIELDS.has(name) && !isNested(fields[name])) kept[name] = fields[name];
  return kept;
}

function isNested(value: unknown): boolean {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}
