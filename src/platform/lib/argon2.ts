import { hash, hashRaw, hashRawSync, type Options, parseOptions, verify } from "@node-rs/argon2";

/** The cost of argon2id: memory in KiB, passes over it, and lanes. */
export interface Argon2Parameters {
  readonly memoryKib: number;
  readonly passes: number;
  readonly lanes: number;
}

interface Argon2Input extends Argon2Parameters {
  /** At least 8 bytes; 16 random ones for anything new. */
  readonly salt: Uint8Array;
  /** Bytes of output. */
  readonly length: number;
}

const ARGON2ID = 2;
const VERSION_19 = 1;

/** argon2id version 19 (RFC 9106): `length` raw bytes. Runs in the thread pool, never in the event loop. */
export function argon2id(password: string | Uint8Array, input: Argon2Input): Promise<Buffer> {
  return hashRaw(password, optionsOf(input));
}

/** The same, in this thread, which does nothing else meanwhile: for one that is there for such work. */
export function argon2idHere(password: string | Uint8Array, input: Argon2Input): Buffer {
  return hashRawSync(password, optionsOf(input));
}

/** The same, encoded with its parameters and salt: `$argon2id$v=19$m=…,t=…,p=…$salt$hash`. */
export function argon2idEncoded(password: string | Uint8Array, input: Argon2Input): Promise<string> {
  return hash(password, optionsOf(input));
}

/** Whether `password` is the one `encoded` was made of. Throws when `encoded` is no argon2id version 19 hash. */
export async function argon2idMatches(encoded: string, password: string | Uint8Array): Promise<boolean> {
  const { algorithm, version } = parseOptions(encoded);
  if (algorithm !== ARGON2ID || version !== VERSION_19)
    throw new Error("The hash is not argon2id version 19.");
  return await verify(encoded, password);
}

function optionsOf({ memoryKib, passes, lanes, salt, length }: Argon2Input): Options {
  return {
    algorithm: ARGON2ID,
    version: VERSION_19,
    memoryCost: memoryKib,
    timeCost: passes,
    parallelism: lanes,
    salt,
    outputLen: length,
  };
}
