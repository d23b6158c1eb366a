import type { KeyObject } from "node:crypto";
import { type MessagePort, parentPort } from "node:worker_threads";
import { systemRandom } from "#platform/lib/random.ts";
import { type PackedBytes, packBytes, unpackBytes } from "#platform/storage/packed-bytes.ts";
import type { StoredBytes } from "#platform/storage/stored-bytes.ts";
import { lowerPriority } from "#platform/threads/low-priority.ts";
import { Keyring } from "./keyring.ts";
import { type Page, type Renewed, renewAll } from "./renewing.ts";

/** A page, packed, and the keys to do it with, by their terms. */
export interface SealingWork {
  readonly keys: ReadonlyMap<number, KeyObject>;
  readonly at: Page["at"];
  readonly rows: readonly StoredBytes["key"][];
  readonly values: PackedBytes;
}

/** What became of the page: `sealed` has the bytes of those values that `others` has nothing for. */
export interface SealingOutcome {
  readonly others: readonly (Exclude<Renewed, Uint8Array> | undefined)[];
  readonly sealed: PackedBytes;
}

if (parentPort !== null) serve(parentPort);

/** What is thrown here ends the thread, and with it the job that asked. */
function serve(port: MessagePort): void {
  // Clients come first.
  lowerPriority();
  port.on("message", (work: SealingWork) => {
    const outcome = outcomeOf(work);
    port.postMessage(outcome, [outcome.sealed.bytes.buffer]);
  });
}

function outcomeOf({ keys, at, rows, values }: SealingWork): SealingOutcome {
  using keyring = new Keyring([], keys);
  const bytes = unpackBytes(values);
  const page = { at, values: rows.map((key, index) => ({ key, bytes: bytes[index] ?? NOTHING })) };
  const renewed = renewAll(page, keyring, systemRandom);
  return {
    others: renewed.map((one) => (typeof one === "string" ? one : undefined)),
    sealed: packBytes(renewed.filter((one) => typeof one !== "string")),
  };
}

const NOTHING = new Uint8Array();
