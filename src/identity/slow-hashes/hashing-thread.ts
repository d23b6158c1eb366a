import { getPriority, platform, setPriority } from "node:os";
import { type MessagePort, parentPort } from "node:worker_threads";
import type { SlowHash } from "./phc.ts";
import { slowHashMatches } from "./slow-hash.ts";

/** Whether `text` is what `hash` was made of. */
interface HashingWork {
  readonly hash: SlowHash;
  readonly text: string;
}

export type HashingOutcome = { readonly matches: boolean } | { readonly failure: string };

/**
 * A tenth of the share that a thread of the usual priority gets where both want the processor: whoever sends wrong keys
 * must not make those wait whose keys cost little.
 */
const NICER_BY = 10;
const MOST_NICE = 19;

if (parentPort !== null) serve(parentPort);

function serve(port: MessagePort): void {
  // On Linux a thread has a priority of its own; elsewhere this would be the whole server's.
  if (platform() === "linux") setPriority(0, Math.min(MOST_NICE, getPriority(0) + NICER_BY));
  port.on("message", (work: HashingWork) => port.postMessage(outcomeOf(work)));
}

function outcomeOf({ hash, text }: HashingWork): HashingOutcome {
  try {
    return { matches: slowHashMatches(asBuffers(hash), text) };
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  }
}

/** What came from another thread has bare arrays where buffers were. */
function asBuffers<Hash extends SlowHash>(hash: Hash): Hash {
  return { ...hash, salt: Buffer.from(hash.salt), hash: Buffer.from(hash.hash) };
}
