import type { AuditRecorder } from "#gates/audit/index.ts";
import type { Clock } from "#platform/lib/clock.ts";
import type { Random } from "#platform/lib/random.ts";
import type { Database } from "#platform/storage/database.ts";
import type { Turn } from "#platform/threads/turn.ts";
import type { FirstSignIn } from "./first-sign-in.ts";
import type { HeldPeople } from "./held-people.ts";
import type { LoginFailures } from "./login-failures.ts";
import type { PasswordHashes } from "./password-hashes.ts";
import type { SecondFactors } from "./second-factors.ts";
import type { Sessions } from "./sessions.ts";

/** Everything that signing in and changing users is made of. */
export interface PeopleParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly audit: AuditRecorder;
  readonly held: HeldPeople;
  readonly sessions: Sessions;
  readonly hashes: PasswordHashes;
  readonly failures: LoginFailures;
  readonly first: FirstSignIn;
  readonly factors: SecondFactors;
  /** One change after another, so that memory has the same last word as the store. */
  readonly turn: Turn;
}
