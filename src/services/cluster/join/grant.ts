import type { KeyObject } from "node:crypto";
import * as z from "zod";
import { AEAD_NONCE_BYTES, decrypt, encrypt } from "#platform/lib/aead.ts";
import type { Random } from "#platform/lib/random.ts";
import { Secret } from "#platform/lib/secret.ts";
import { type MemberRecord, MOST_RECORDS, memberRecord } from "../members/member-record.ts";
import type { SharedCredentials } from "../new-credentials.ts";

/** What a member's own credentials share with every other member's, but for the cluster's id, which is said openly. */
interface Granted extends Omit<SharedCredentials, "clusterId"> {
  /** The nodes of the cluster, the joiner among them; the first of them, where all would be too long. */
  readonly members: readonly MemberRecord[];
}

const SECRET_BYTES = 32;
const FEWEST_ITERATIONS = 600_000;
/** A token that takes longer to derive than minutes is nobody's. */
const MOST_ITERATIONS = 100_000_000;
const LONGEST_TEXT = 4096;
/** Characters of JSON; whoever is left out the joiner hears of with its first heartbeats. */
const LONGEST_MEMBERS = 38_000;
const secretBytes = z
  .string()
  .regex(/^[A-Za-z0-9_-]{43}$/)
  .refine((text) => Buffer.from(text, "base64url").length === SECRET_BYTES);
const granted = z.object({
  salt: secretBytes,
  epoch: z.int().min(1),
  pin_generation: z.int().min(1),
  iterations: z.int().min(FEWEST_ITERATIONS).max(MOST_ITERATIONS),
  pepper: secretBytes,
  opaque: z.object({
    server_setup: z.string().min(1).max(LONGEST_TEXT),
    record: z.string().min(1).max(LONGEST_TEXT),
  }),
  members: z.array(memberRecord).max(MOST_RECORDS),
});

/** JSON under AES-256-GCM, bound to the transcript: a nonce, then the ciphertext with its tag. */
export function sealGrant(key: KeyObject, transcript: Buffer, given: Granted, random: Random): Buffer {
  const { salt, epoch, pinGeneration, iterations, pepper, opaque } = given;
  const fields = {
    salt: salt.toString("base64url"),
    epoch,
    pin_generation: pinGeneration,
    iterations,
    pepper: pepper.expose(),
    opaque: { server_setup: opaque.serverSetup.expose(), record: opaque.record },
    members: firstOf(given.members),
  };
  const nonce = random.bytes(AEAD_NONCE_BYTES);
  return Buffer.concat([nonce, encrypt(key, nonce, Buffer.from(JSON.stringify(fields)), transcript)]);
}

/** Throws where it was not sealed so, or does not hold what it must. */
export function openGrant(key: KeyObject, transcript: Buffer, sealed: Buffer): Granted {
  const [nonce, ciphertext] = [sealed.subarray(0, AEAD_NONCE_BYTES), sealed.subarray(AEAD_NONCE_BYTES)];
  const { salt, epoch, pin_generation, iterations, pepper, opaque, members } = granted.parse(
    JSON.parse(decrypt(key, nonce, ciphertext, transcript).toString("utf8")),
  );
  return {
    salt: Buffer.from(salt, "base64url"),
    epoch,
    pinGeneration: pin_generation,
    iterations,
    pepper: new Secret(pepper),
    opaque: { serverSetup: new Secret(opaque.server_setup), record: opaque.record },
    members,
  };
}

function firstOf(members: readonly MemberRecord[]): readonly MemberRecord[] {
  let length = 0;
  return members.filter((member) => {
    length += JSON.stringify(member).length + 1;
    return length <= LONGEST_MEMBERS;
  });
}
