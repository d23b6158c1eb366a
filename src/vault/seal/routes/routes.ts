import type { Api } from "#platform/http/server.ts";
import type { Clock } from "#platform/lib/clock.ts";
import type { Log } from "#platform/log/log.ts";
import type { Database } from "#platform/storage/database.ts";
import type { ServerKey } from "../server-key.ts";
import { KeyTries } from "../tries.ts";
import { initializeKeyRoute } from "./initialize-key.ts";
import { type AddressFailureCounter, KeyChecks } from "./key-checks.ts";
import { keyDetailsRoute } from "./key-details.ts";
import { keyStatusRoute } from "./key-status.ts";
import { lockKeyRoute } from "./lock-key.ts";
import { resealProgressRoute } from "./reseal-progress.ts";
import { revokeRecoveryKeyRoute } from "./revoke-recovery-key.ts";
import { rotateKeyRoute } from "./rotate-key.ts";
import { unlockKeyRoute } from "./unlock-key.ts";

/** The API of the server key: `/api/v1/key`. `addresses` is what counts wrong credentials by address. */
export function serverKeyRoutes(
  api: Api,
  parts: {
    readonly seal: ServerKey;
    readonly database: Database;
    readonly clock: Clock;
    readonly log: Pick<Log, "error">;
    readonly addresses: AddressFailureCounter;
    /** Whether the server was given the key at its start. */
    readonly unlocksItself: boolean;
  },
): void {
  const { seal, clock, log } = parts;
  const checks = new KeyChecks(new KeyTries(parts), parts.addresses);
  keyStatusRoute(api, seal);
  keyDetailsRoute(api, parts);
  initializeKeyRoute(api, { seal });
  unlockKeyRoute(api, { seal, checks });
  rotateKeyRoute(api, { seal, checks, clock, log });
  resealProgressRoute(api, { seal });
  lockKeyRoute(api, { seal });
  revokeRecoveryKeyRoute(api, { seal });
}
