import type { Secret } from "#platform/lib/secret.ts";
import type { Place, SealedValue } from "./sealed-value.ts";
import type { ServerKey } from "./server-key.ts";

/** The door to every stored secret: shut, nothing is sealed or opened. */
export interface Seal extends ServerKey, AsyncDisposable {
  isLocked(): boolean;
  /**
   * The bytes to store at `place`. Call it within the transaction that stores them: keys are exchanged in transactions,
   * and bytes sealed before one and stored after it might open no more. AppError `server_locked` while locked.
   */
  sealValue(place: Place, plaintext: Secret | Uint8Array): SealedValue;
  /**
   * What was sealed for `place`, for the caller to zero. AppError `server_locked` while locked; SealedValueError
   * when the bytes are not what was sealed for exactly this place.
   */
  openValue(place: Place, bytes: Uint8Array): Buffer;
  /** Writes what could not be written when the server was locked. Throws what the store throws. */
  flush(): Promise<void>;
  /** Settles when what goes on behind a change, or was left by an earlier start, has ended; what failed was logged. */
  settled(): Promise<void>;
  /** The end of the process: the keys are dropped at once, which is no lock by hand. Ends when all has ended. */
  close(): Promise<void>;
}
