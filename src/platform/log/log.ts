import { type DestinationStream, type Logger, pino } from "pino";
import pretty from "pino-pretty";
import { systemClock, toTimestamp } from "../lib/clock.ts";

export type Log = Logger;

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
  "url",
  "version",
  "time",
  "input_tokens",
  "output_tokens",
  "cost_usd",
]);

/**
 * The server's log: JSON lines, or readable text when `readable` is set (a terminal).
 * Only allow-listed fields pass, at every level.
 */
export function createLog(options: {
  level: string;
  readable: boolean;
  destination?: DestinationStream;
}): Log {
  const destination = options.destination ?? standardOutput(options.readable);
  return pino(
    {
      level: options.level,
      base: null,
      // Set with the fields, where a row that brings its own time replaces it: written by pino the key would be there twice.
      timestamp: false,
      formatters: { log: (fields) => ({ time: toTimestamp(systemClock.now()), ...keepAllowed(fields) }) },
    },
    destination,
  );
}

/**
 * A reader that has gone away, a closed terminal or a full disk behind a redirection must not end the server: what
 * cannot be written is dropped, at the latest when a mebibyte is waiting.
 */
function standardOutput(readable: boolean): DestinationStream {
  const stdout = pino.destination({ dest: 1, sync: true, maxLength: 1024 * 1024 });
  stdout.on("error", () => {});
  return readable ? pretty({ colorize: true, ignore: "pid,hostname", destination: stdout }) : stdout;
}

/** Only plain values: an object under an allowed name could bring anything along. */
function keepAllowed(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).filter(([name, value]) => ALLOWED_FIELDS.has(name) && !isNested(value)),
  );
}

function isNested(value: unknown): boolean {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}
