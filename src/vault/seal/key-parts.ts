import type { AuditEntry, AuditRecorder } from "#gates/audit/index.ts";
import type { ChangeAuthor } from "#platform/http/exchange.ts";
import { callerId } from "#platform/http/ports.ts";
import type { Argon2Parameters } from "#platform/lib/argon2.ts";
import type { Clock } from "#platform/lib/clock.ts";
import type { Random } from "#platform/lib/random.ts";
import type { Database } from "#platform/storage/database.ts";
import type { Turn } from "#platform/threads/turn.ts";
import type { HeldKeys } from "./held-keys.ts";
import type { PassphraseFacts, Stretching } from "./passphrase.ts";

/** What every change of the keys works with. */
export interface KeyParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly audit: Pick<AuditRecorder, "append">;
  readonly held: HeldKeys;
  readonly stretching: Stretching;
  /** Of new passphrase slots. */
  readonly cost: Argon2Parameters;
  /** Held by whoever changes slots, terms or the state: what is in memory and what is stored change as one. */
  readonly turn: Turn;
  /** The present passphrase's slot. */
  readonly slot: { facts: PassphraseFacts | undefined };
}

/** Runs `work` when no other change of slots, terms or the state is under way. */
export async function inTurn<T>(turn: Turn, work: () => Promise<T>): Promise<T> {
  const end = await turn.take();
  try {
    return await work();
  } finally {
    end();
  }
}

/** That `by` did `action`. */
export function doneBy(action: string, { principal, address, requestId }: ChangeAuthor): AuditEntry {
  return {
    actor: callerId(principal),
    action,
    target: "server_key",
    outcome: "success",
    address,
    requestId,
    count: 1,
  };
}
