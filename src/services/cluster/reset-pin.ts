import type { Random } from "#platform/lib/random.ts";
import type { Secret } from "#platform/lib/secret.ts";
import { readCredentials, readRemains, writeCredentials } from "./credential-files.ts";
import { CredentialProblem } from "./credential-set.ts";
import { isPin } from "./member-token.ts";
import { credentialsOfNewPin } from "./new-credentials.ts";

/** Whether a member's PIN can be set anew on its files. */
export type PinReset =
  | { readonly status: "none" }
  | { readonly status: "closed"; readonly reason: string; readonly repair: string }
  | {
      readonly status: "ready";
      /** Whether this is the PIN already; false where `pin_hash` is damaged too. */
      isPin(pin: Secret): Promise<boolean>;
      /**
       * Writes the files of this PIN; the same PIN typed on each member gives the same token. `newSalt`: another salt and
       * pepper, of the next epoch, so that what was made of the old one is worth nothing. Throws system errors.
       */
      reset(
        pin: Secret,
        how: { readonly random: Random; readonly newSalt: boolean },
      ): Promise<{ epoch: number }>;
    };

/**
 * Looks whether the credentials in `directory` can get another PIN: all that needs is `cluster.json`, so that a token, a
 * hash or a node key that is missing or damaged is made anew with it. `owner`: whom the files have to belong to.
 */
export function preparePinReset(directory: string, owner: number): PinReset {
  if (readCredentials(directory, owner).status === "none") return { status: "none" };
  try {
    const { pinHash, ...known } = readRemains(directory, owner);
    return {
      status: "ready",
      isPin: async (pin) => pinHash !== undefined && isPin(pin, { pinHash, pepper: known.pepper }),
      reset: async (pin, how) => {
        const credentials = await credentialsOfNewPin(pin, known, how);
        writeCredentials(directory, credentials);
        return { epoch: credentials.epoch };
      },
    };
  } catch (error) {
    if (!(error instanceof CredentialProblem)) throw error;
    return { status: "closed", reason: error.message, repair: error.repair };
  }
}
