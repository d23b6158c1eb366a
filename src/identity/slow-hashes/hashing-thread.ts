import { type MessagePort, parentPort } from "node:worker_threads";
import { lowerPriority } from "#platform/threads/low-priority.ts";
import type { SlowHash } from "./phc.ts";
import { slowHashMatches } from "./slow-hash.ts";

/** Whether `text` is what `hash` was made of. */
interface HashingWork {
  readonly hash: SlowHash;
  readonly text: string;
}

export type HashingOutcome = { readonly matches: boolean } | { readonly failure: string };

if (parentPort !== null) serve(parentPort);

function serve(port: MessagePort): void {
  // Whoever sends wrong keys must not make those wait whose keys cost little.
  lowerPriority();
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
