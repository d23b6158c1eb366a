import { join } from "node:path";
import { openAuditRecorder } from "#gates/audit/index.ts";
import type { ChangeAuthor } from "#platform/http/exchange.ts";
import type { Argon2Parameters } from "#platform/lib/argon2.ts";
import type { Clock } from "#platform/lib/clock.ts";
import { type Random, systemRandom } from "#platform/lib/random.ts";
import type { Secret } from "#platform/lib/secret.ts";
import type { Database } from "#platform/storage/database.ts";
import { openSeal, type Seal, type SealedColumn } from "#vault/seal/index.ts";

/** The least that argon2id takes: a passphrase is stretched in a millisecond. */
export const CHEAP: Argon2Parameters = { memoryKib: 64, passes: 1, lanes: 1 };

export const BY: ChangeAuthor = { principal: { kind: "local" }, address: null, requestId: "req_test" };

/** A seal on its own, whose audit rows go into the store; `logged` is given every line of it. */
export function openTestSeal(parts: {
  readonly database: Database;
  readonly dataDir: string;
  readonly clock: Clock;
  readonly random?: Random;
  readonly sealed?: readonly SealedColumn[];
  readonly cost?: Argon2Parameters;
  readonly autoUnlock?: Secret;
  readonly logged?: string[];
}): Promise<Seal> {
  const { dataDir, logged = [] } = parts;
  const line = (fields: unknown, text?: string) =>
    void logged.push(`${text ?? ""} ${JSON.stringify(fields)}`);
  return openSeal({
    random: systemRandom,
    sealed: [],
    cost: CHEAP,
    ...parts,
    secretsDir: join(dataDir, "secrets"),
    audit: openAuditRecorder(parts),
    log: { error: line, warn: line },
  });
}
