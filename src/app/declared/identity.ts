import * as z from "zod";
import { type KeyLimits, keyLimits } from "#gates/ratelimit/index.ts";
import { parsePublicHash } from "#identity/keys/index.ts";
import { isAddressOrRange } from "#platform/config/addresses.ts";
import { resourceKind } from "#platform/config/resource-kind.ts";
import { RESERVED_NAMES } from "#platform/config/resources.ts";
import { MEMBER_ID } from "#platform/http/ports.ts";
import { resourceName } from "#platform/lib/resource-name.ts";

const LONGEST_HASH = 1024;
const MOST_SETS = 16;
const MOST_ADDRESSES = 64;
/** What the server's own ids begin with: an actor in the audit log must not pass for one of those. */
const OWN_ID = /^(key|user|prov|req)_/;

/** Someone of claviger.yaml who presents a key. */
export interface DeclaredIdentity {
  /** The resource's name. */
  readonly name: string;
  /** The actor in audit and usage. */
  readonly id: string;
  /** As it is written; `parsePublicHash` reads it. */
  readonly hash: string;
  readonly permissionSets: readonly string[];
  readonly limits: KeyLimits;
  /** Milliseconds since the Unix epoch. */
  readonly expiresAt: number | undefined;
  /** IP addresses and CIDR ranges; empty: from everywhere. */
  readonly allowedIps: readonly string[];
}

const hash = z
  .string()
  .max(LONGEST_HASH)
  .superRefine((text, context) => {
    const parsed = parsePublicHash(text);
    if (!("malformed" in parsed)) return;
    const isKey = text.startsWith("sk-");
    const message = isKey
      ? "this is a key, and a key has no place here; write its hash (claviger api-key generate prints both), and make a new key: this one is known now"
      : `the hash is malformed: ${parsed.malformed}`;
    context.addIssue({ code: "custom", message });
  });

const shape = z.strictObject({
  credential: z
    .strictObject({
      api_key: hash.describe("The public hash of the key, as claviger api-key generate prints it."),
    })
    .describe("What proves that it is this identity."),
  permissions: z
    .union([resourceName, z.array(resourceName).max(MOST_SETS)])
    .describe("The name of a permission set, or a list of names."),
  id: resourceName.optional().describe("Who it is in audit and usage; the resource's name unless given."),
  limits: keyLimits.optional().describe("What it may use at most."),
  expires_at: z.iso
    .datetime({ offset: true, error: "must be a time of RFC 3339, as 2027-01-31T00:00:00Z" })
    .optional()
    .describe("When it stops being valid: a time of RFC 3339."),
  allowed_ips: z
    .array(z.string().refine(isAddressOrRange, "must be an IP address or a range as 10.0.0.0/8"))
    .max(MOST_ADDRESSES)
    .optional()
    .describe("Addresses and ranges it may come from; from everywhere unless given."),
});

/** `resource_type: Identity` of claviger.yaml. */
export const identityKind = resourceKind({
  resourceType: "Identity",
  doc: "Someone who presents a key, known by the key's hash.",
  shape,
  partial: shape.partial(),
});

/** The identity that the fields declare. */
export function toIdentity(name: string, fields: z.infer<typeof shape>): DeclaredIdentity {
  const { permissions, expires_at: expiresAt } = fields;
  return {
    name,
    id: fields.id ?? name,
    hash: fields.credential.api_key,
    permissionSets: listOf(permissions),
    limits: fields.limits ?? {},
    expiresAt: expiresAt === undefined ? undefined : Date.parse(expiresAt),
    allowedIps: fields.allowed_ips ?? [],
  };
}

/** Why an identity must not have this id; undefined when it may. */
export function idFault(id: string): string | undefined {
  if ([...RESERVED_NAMES, MEMBER_ID].some((word) => word === id))
    return `"${id}" is a word with a meaning of its own; choose another id`;
  if (OWN_ID.test(id)) return "an id must not begin as those do that the server gives out (key_, user_, …)";
  return undefined;
}

/** One or several, as a list. */
export function listOf<Item>(given: Item | readonly Item[]): readonly Item[] {
  return isList(given) ? given : [given];
}

function isList<Item>(given: Item | readonly Item[]): given is readonly Item[] {
  return Array.isArray(given);
}
