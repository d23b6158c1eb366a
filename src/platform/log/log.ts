import { type Logger, pino } from "pino";
import pretty from "pino-pretty";
import { systemClock, toTimestamp } from "../lib/clock.ts";

export type Log = Logger;

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

/** About a dozen lines of access log are written together: a write of its own for each costs more than the line. */
const BATCH_CHARACTERS = 4096;
const FLUSH_AFTER_MS = 100;

/** The server's log, as lines of JSON to `sink`. Only allow-listed fields pass, at every level. */
export function createLog({ level, sink }: { level: string; sink: LogSink }): Log {
  return pino(
    {
      level,
      base: null,
      // Set with the fields, where a row that brings its own time replaces it: written by pino the key would be there twice.
      timestamp: false,
      formatters: { log: (fields) => keepAllowed(fields) },
    },
    sink,
  );
}

/**
 * Standard output: the lines as they are, or readable text when `readable` is set (a terminal). A reader that has gone away, a closed terminal or a full disk behind a redirection must not end the server: what
 * cannot be written is dropped, at the latest when a mebibyte is waiting.
 */
export function standardOutput({ readable }: { readable: boolean }): LogSink {
  const batch = readable ? 0 : BATCH_CHARACTERS;
  const stdout = pino.destination({ dest: 1, sync: true, minLength: batch, maxLength: 1024 * 1024 });
  stdout.on("error", () => {});
  return readable
    ? pretty({ colorize: true, singleLine: true, ignore: "pid,hostname", destination: stdout })
    : flushedSoon(stdout);
}

/** Lines wait for each other, at most 100 ms; at the exit none is left. Only a killed process loses those that wait. */
function flushedSoon(stdout: ReturnType<typeof pino.destination>): LogSink {
  let timer: NodeJS.Timeout | undefined;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    stdout.flush();
  };
  process.once("exit", flush);
  return {
    write: (line) => {
      stdout.write(line);
      timer ??= setTimeout(flush, FLUSH_AFTER_MS).unref();
    },
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
