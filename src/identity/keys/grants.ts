import type { KeyLimits } from "#gates/ratelimit/index.ts";
import { AddressRanges } from "#platform/lib/address-ranges.ts";
import { AppError } from "#platform/lib/error.ts";

const LENGTH_BYTES = 4;
const GROWTH_BYTES = 1024 * 1024;
/** Many keys have few different grants; should each have its own, memory of them stays small, and some are there twice. */
const MOST_REMEMBERED = 10_000;

/** What a key is allowed and limited to. */
export interface Grant {
  readonly permissionSets: readonly string[];
  readonly limits: Readonly<KeyLimits>;
  /** Patterns of the models and APIs it is for; undefined for all. */
  readonly models?: readonly string[] | undefined;
  /** Addresses and ranges it may be used from; undefined for all. */
  readonly allowedIps?: readonly string[] | undefined;
  /** In whose place its limits are counted; undefined for its own. */
  readonly limitSlot?: number | undefined;
}

/** A grant as it was read, prepared for requests. */
interface ReadGrant extends Grant {
  readonly ranges: AddressRanges | undefined;
}

/**
 * Writes grants into memory that threads share, one after another: the length of its JSON in bytes (32 bits), then the
 * JSON in UTF-8, each beginning at a multiple of four, a quarter of which is its number. For one thread alone.
 */
export class GrantWriter {
  readonly #memory: SharedArrayBuffer;
  readonly #numbers = new Map<string, number>();
  #end = 0;

  /** `memory` must be new, and able to grow. */
  constructor(memory: SharedArrayBuffer) {
    this.#memory = memory;
  }

  /** The number of this grant, which any thread can read from now on. Throws AppError `keys_full` when it has no room. */
  numberOf(grant: Grant): number {
    const text = JSON.stringify(grant);
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    const number = this.#append(Buffer.from(text));
    if (this.#numbers.size >= MOST_REMEMBERED) this.#numbers.clear();
    this.#numbers.set(text, number);
    return number;
  }

  #append(json: Buffer): number {
    const start = this.#end;
    const end = start + LENGTH_BYTES + Math.ceil(json.length / 4) * 4;
    this.#makeRoom(end);
    new DataView(this.#memory).setUint32(start, json.length);
    new Uint8Array(this.#memory, start + LENGTH_BYTES, json.length).set(json);
    this.#end = end;
    return start / 4;
  }

  #makeRoom(end: number): void {
    const { byteLength, maxByteLength } = this.#memory;
    if (end <= byteLength) return;
    if (end > maxByteLength)
      throw new AppError(
        "keys_full",
        "The permissions and limits of this server's keys have no room for another. Start it again: it then makes " +
          "more room. No key was lost.",
      );
    this.#memory.grow(Math.min(maxByteLength, Math.max(end, byteLength + GROWTH_BYTES)));
  }
}

/** Reads grants in any thread, each once. */
export class GrantReader {
  readonly #memory: SharedArrayBuffer;
  readonly #read = new Map<number, ReadGrant>();

  constructor(memory: SharedArrayBuffer) {
    this.#memory = memory;
  }

  /** The grant with this number, which a record found in the table names. */
  at(number: number): ReadGrant {
    const known = this.#read.get(number);
    if (known !== undefined) return known;
    const start = number * 4;
    const length = new DataView(this.#memory).getUint32(start);
    const json = Buffer.from(new Uint8Array(this.#memory, start + LENGTH_BYTES, length)).toString();
    const written: unknown = JSON.parse(json);
    if (!isGrant(written)) throw new Error("A grant in shared memory has not the shape of one.");
    const { allowedIps } = written;
    const grant = { ...written, ranges: allowedIps && new AddressRanges(allowedIps) };
    if (this.#read.size >= MOST_REMEMBERED) this.#read.clear();
    this.#read.set(number, grant);
    return grant;
  }
}

/** By hand: every thread reads grants, and a library for shapes would take megabytes of memory in each. */
function isGrant(value: unknown): value is Grant {
  const shape: { readonly [Member in keyof Grant]?: unknown } = typeof value === "object" ? { ...value } : {};
  const { permissionSets, limits, models, allowedIps, limitSlot } = shape;
  return (
    isTexts(permissionSets) &&
    isLimits(limits) &&
    (models === undefined || isTexts(models)) &&
    (allowedIps === undefined || isTexts(allowedIps)) &&
    (limitSlot === undefined || Number.isSafeInteger(limitSlot))
  );
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((text) => typeof text === "string");
}

function isLimits(value: unknown): value is KeyLimits {
  return (
    typeof value === "object" &&
    value !== null &&
    Object.values(value).every((limit) => typeof limit === "number")
  );
}
