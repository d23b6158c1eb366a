/** An argon2id or scrypt hash, its parameters within the bounds below. */
export type SlowHash = Argon2idHash | ScryptHash;

export interface Argon2idHash {
  readonly algorithm: "argon2id";
  readonly memoryKib: number;
  readonly passes: number;
  readonly lanes: number;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

export interface ScryptHash {
  readonly algorithm: "scrypt";
  /** The binary logarithm of the cost N. */
  readonly logCost: number;
  readonly blockSize: number;
  readonly lanes: number;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

type Malformed = { readonly malformed: string };
type Range = readonly [least: number, most: number];

const MIB = 1024 * 1024;
/**
 * Above them one key tried would take seconds or the machine's memory; below them a key that somebody thought up
 * could be guessed from a hash that is not kept secret.
 */
const MEMORY_MIB: Range = [4, 256];
const ARGON2ID_VERSION = "v=19";
const ARGON2ID_PASSES: Range = [1, 10];
const ARGON2ID_LANES: Range = [1, 16];
const SCRYPT_LOG_COST: Range = [1, 24];
const SCRYPT_BLOCK_SIZE: Range = [1, 32];
const SCRYPT_LANES: Range = [1, 16];
const SALT_BYTES: Range = [8, 64];
const HASH_BYTES: Range = [16, 64];

/**
 * Reads a PHC string (https://github.com/P-H-C/phc-string-format) of argon2id or scrypt from its algorithm on, the
 * leading `$` left out. What is malformed is said without repeating salt or hash.
 */
export function parsePhc(text: string): SlowHash | Malformed {
  if (/\s$/.test(text)) return { malformed: "what it decodes to ends in white space" };
  const fields = text.split("$");
  return fields[0] === "argon2id" ? parseArgon2id(fields) : parseScrypt(fields);
}

function parseArgon2id(fields: readonly string[]): SlowHash | Malformed {
  const [algorithm, version, parameters = "", salt, hash] = fields;
  if (algorithm !== "argon2id" || version !== ARGON2ID_VERSION)
    return { malformed: "an argon2id hash must be of version 19: argon2id$v=19$…" };
  const numbers = /^m=(\d{1,10}),t=(\d{1,10}),p=(\d{1,10})$/.exec(parameters);
  if (numbers === null || fields.length !== 5)
    return { malformed: "it must be argon2id$v=19$m=…,t=…,p=…$salt$hash" };
  const [memoryKib, passes, lanes] = [Number(numbers[1]), Number(numbers[2]), Number(numbers[3])];
  const wrong =
    outside("m", memoryKib, [MEMORY_MIB[0] * 1024, MEMORY_MIB[1] * 1024]) ??
    outside("t", passes, ARGON2ID_PASSES) ??
    outside("p", lanes, ARGON2ID_LANES);
  if (wrong !== undefined) return { malformed: wrong };
  return withBytes(salt, hash, (bytes) => ({ algorithm, memoryKib, passes, lanes, ...bytes }));
}

function parseScrypt(fields: readonly string[]): SlowHash | Malformed {
  const [algorithm, parameters = "", salt, hash] = fields;
  const numbers = /^ln=(\d{1,10}),r=(\d{1,10}),p=(\d{1,10})$/.exec(parameters);
  if (algorithm !== "scrypt" || numbers === null || fields.length !== 4)
    return { malformed: "it must be scrypt$ln=…,r=…,p=…$salt$hash" };
  const [logCost, blockSize, lanes] = [Number(numbers[1]), Number(numbers[2]), Number(numbers[3])];
  const wrong =
    outside("ln", logCost, SCRYPT_LOG_COST) ??
    outside("r", blockSize, SCRYPT_BLOCK_SIZE) ??
    outside("p", lanes, SCRYPT_LANES) ??
    // Lanes run one after the other, so that they cost time as memory does.
    outside(
      "its memory of 128 * 2^ln * r * p, in MiB,",
      (128 * 2 ** logCost * blockSize * lanes) / MIB,
      MEMORY_MIB,
    );
  if (wrong !== undefined) return { malformed: wrong };
  return withBytes(salt, hash, (bytes) => ({ algorithm, logCost, blockSize, lanes, ...bytes }));
}

function outside(name: string, value: number, [least, most]: Range): string | undefined {
  if (value >= least && value <= most) return undefined;
  return `${name} is ${Math.round(value * 1000) / 1000} instead of ${least} to ${most}`;
}

function withBytes(
  salt: string | undefined,
  hash: string | undefined,
  build: (bytes: { salt: Buffer; hash: Buffer }) => SlowHash,
): SlowHash | Malformed {
  const read = { salt: decode(salt), hash: decode(hash) };
  if (read.salt === undefined) return { malformed: "the salt is not base64 without padding" };
  if (read.hash === undefined) return { malformed: "the hash in it is not base64 without padding" };
  const wrong =
    outside("the salt's length in bytes", read.salt.length, SALT_BYTES) ??
    outside("the hash's length in bytes", read.hash.length, HASH_BYTES);
  return wrong === undefined ? build({ salt: read.salt, hash: read.hash }) : { malformed: wrong };
}

/** Only the one spelling of the bytes is taken, as the format says. */
function decode(text = ""): Buffer | undefined {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64").replace(/=+$/, "") === text ? bytes : undefined;
}
