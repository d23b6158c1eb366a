import { pino } from "pino";
import type { LogSink } from "./log.ts";

/** About a dozen lines of access log are written together: a write of its own for each costs more than the line. */
const BATCH_CHARACTERS = 4096;
const FLUSH_AFTER_MS = 100;
const MOST_WAITING_BYTES = 1024 * 1024;

/**
 * Standard output: the lines as they are, or readable text when `readable` is set (a terminal). A reader that has gone
 * away, a closed terminal or a full disk behind a redirection must not end the server: what cannot be written is
 * dropped, at the latest when a mebibyte is waiting.
 */
export async function standardOutput({ readable }: { readable: boolean }): Promise<LogSink> {
  const stdout = pino.destination({ dest: 1, sync: true, maxLength: MOST_WAITING_BYTES });
  stdout.on("error", () => {});
  if (!readable) return inBatches(stdout);
  const { default: pretty } = await import("pino-pretty");
  return pretty({ colorize: true, singleLine: true, ignore: "pid,hostname", destination: stdout });
}

/**
 * Lines wait for each other, at most 100 ms; at the exit none is left. Only a killed process loses those that wait. They
 * wait here, for the stream beneath measures all that it holds anew with every line.
 */
function inBatches(stdout: LogSink): LogSink {
  let waiting = "";
  let isTimed = false;
  const flush = () => {
    const lines = waiting;
    waiting = "";
    if (lines !== "") stdout.write(lines);
  };
  const flushInTime = () => {
    isTimed = false;
    flush();
  };
  process.once("exit", flush);
  return {
    write: (lines) => {
      waiting += lines;
      if (waiting.length >= BATCH_CHARACTERS) return flush();
      if (isTimed) return;
      isTimed = true;
      setTimeout(flushInTime, FLUSH_AFTER_MS).unref();
    },
  };
}
