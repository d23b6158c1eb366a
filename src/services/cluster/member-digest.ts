import { hash } from "node:crypto";
import type { Secret } from "#platform/lib/secret.ts";

/** The words of the memory: the term, then a SHA-256 digest. */
const TERM = 0;
const DIGEST = 1;
const DIGEST_WORDS = 8;
/** A member token is the base64url of 32 bytes. */
const TOKEN_LENGTH = 43;
/** Judged in place of what is no token by its length, so that this takes as long. */
const DECOY = "-".repeat(TOKEN_LENGTH);

/**
 * The member token of the cluster as every thread judges it: its SHA-256 (FIPS 180-4), in memory that they share. The
 * main thread alone writes. A term is the time for which one token is in force; its number is odd, and that of a time
 * without any is even, so that a thread that reads while another writes finds none.
 */
export class MemberDigest {
  readonly memory: SharedArrayBuffer;
  readonly #words: Uint32Array;

  /** A new one, without a token; or the one that another thread made, by its memory. */
  constructor(
    memory: SharedArrayBuffer = new SharedArrayBuffer(
      (DIGEST + DIGEST_WORDS) * Uint32Array.BYTES_PER_ELEMENT,
    ),
  ) {
    this.memory = memory;
    this.#words = new Uint32Array(memory);
  }

  /** From now on this token is in force in every thread, or none. Gives whether that ended the term before. */
  replace(token: Secret | undefined): boolean {
    const before = Atomics.load(this.#words, TERM);
    const digest = token && hash("sha256", token.expose(), "buffer");
    if (digest === undefined ? !isOfToken(before) : this.#isInForce(before, digest)) return false;
    const none = isOfToken(before) ? before + 1 : before;
    Atomics.store(this.#words, TERM, none);
    if (digest === undefined) return true;
    for (let word = 0; word < DIGEST_WORDS; word++)
      Atomics.store(this.#words, DIGEST + word, digest.readUInt32LE(word * Uint32Array.BYTES_PER_ELEMENT));
    Atomics.store(this.#words, TERM, none + 1);
    return isOfToken(before);
  }

  /**
   * The term of what is presented, where that is the token in force. Without a token in force nothing is looked at; with
   * one whatever is presented, even nothing, costs the same.
   */
  termOf(presented: string | undefined): number | undefined {
    const term = Atomics.load(this.#words, TERM);
    if (!isOfToken(term)) return undefined;
    const isTokenLong = presented?.length === TOKEN_LENGTH;
    const digest = hash("sha256", isTokenLong ? presented : DECOY, "buffer");
    return this.#isInForce(term, digest) && isTokenLong ? term : undefined;
  }

  /** Whether the token of this term is still in force. */
  holds(term: number): boolean {
    return Atomics.load(this.#words, TERM) === term;
  }

  /** In constant time: every word is looked at. */
  #isInForce(term: number, digest: Buffer): boolean {
    let difference = 0;
    for (let word = 0; word < DIGEST_WORDS; word++)
      difference |=
        Atomics.load(this.#words, DIGEST + word) ^ digest.readUInt32LE(word * Uint32Array.BYTES_PER_ELEMENT);
    return difference === 0 && this.holds(term) && isOfToken(term);
  }
}

function isOfToken(term: number): boolean {
  return term % 2 === 1;
}
