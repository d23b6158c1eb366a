import { allows, allowsSome } from "#gates/access/index.ts";
import type { Identities, IdentityVerdict } from "#identity/declared/index.ts";
import type { KeyReader } from "#identity/keys/index.ts";
import { mayEnter } from "#platform/http/entry.ts";
import type { Gates } from "#platform/http/pipeline.ts";
import {
  type Arrival,
  type Caller,
  type LockGate,
  MEMBER_ID,
  type NodeGate,
  type RoomGate,
  type SessionGate,
  type Verdict,
} from "#platform/http/ports.ts";
import { AppError } from "#platform/lib/error.ts";
import { matchesSome } from "#platform/lib/glob-list.ts";
import type { MemberDigest } from "#services/cluster/index.ts";
import type { Limits } from "./limits.ts";
import type { SetsInForce } from "./sets-in-force.ts";

interface Parts {
  readonly lock: LockGate;
  /** In the main thread, where changes are made. */
  readonly room?: RoomGate;
  readonly keys: KeyReader;
  readonly identities: Identities;
  readonly members: MemberDigest;
  readonly sets: SetsInForce;
  readonly limits: Limits;
  /** In the main thread, which alone serves what nodes ask. */
  readonly nodes?: NodeGate;
  /** In the main thread too. */
  readonly sessions?: SessionGate;
}

/** What members hold: one list for them all, so that their rights are put together once. */
const MEMBER_SETS: readonly string[] = ["member"];

/** The pipeline's ports, served by the features. */
export function createGates(parts: Parts): Gates {
  const { keys, identities, members, sets, limits } = parts;
  return {
    lock: parts.lock,
    room: parts.room,
    authenticator: {
      authenticate: (presented, arrival) => judge(parts, presented, arrival),
      holds: (caller) => {
        if (caller.kind === "identity") return identities.holds(caller.slot, caller.id);
        if (caller.kind === "member") return members.holds(caller.term);
        if (caller.kind === "node") return parts.nodes?.holds(caller) === true;
        if (caller.kind === "user") return parts.sessions?.holds(caller) === true;
        return caller.kind !== "key" || keys.holds(caller.slot);
      },
      hasExpired: (caller) => {
        if (caller.kind === "identity") return identities.hasExpired(caller.slot, caller.id);
        return caller.kind === "key" && keys.hasExpired(caller.slot);
      },
    },
    nodes: parts.nodes,
    sessions: parts.sessions,
    addressLimit: limits.addresses,
    callerLimits: {
      begin: (caller, nowMs) => {
        if (!("slot" in caller)) return undefined;
        const isKey = caller.kind === "key";
        const own = isKey ? keys.limitsOf(caller.slot) : identities.limitsOf(caller.slot);
        const slot = isKey ? keys.limitSlotOf(caller.slot) : caller.slot;
        return own && limits.principals.begin(slot, own, nowMs);
      },
    },
    authorizer: {
      allows: (caller, action, target) => {
        if (caller.kind === "node")
          return action === "cluster.greet" || (action === "cluster.member" && caller.hasPin);
        const rights = sets.rightsOf(caller);
        if (target === undefined) return allowsSome(rights, action);
        return allows(rights, action, target) && isForModel(caller, action, target);
      },
    },
  };
}

/** A list of models narrows what a caller may do with models and APIs, and nothing else. */
function isForModel(caller: Caller, action: string, target: string): boolean {
  if (caller.kind !== "key" || caller.models === undefined) return true;
  return (action !== "gateway.use" && action !== "models.read") || matchesSome(caller.models, target);
}

/**
 * By the keys issued at run time, then by those of the configuration file, then by the members' token, and by the slow
 * ones of the file last. Who is right on another listener alone costs what a wrong credential does.
 */
function judge(parts: Parts, presented: string | undefined, arrival: Arrival): Verdict | Promise<Verdict> {
  const { keys, identities, members } = parts;
  const { entry } = arrival.listener;
  const issued = ofKey(keys, keys.authenticate(presented, arrival.address), arrival.address);
  if ("caller" in issued && mayEnter(entry, issued.caller)) return issued;
  const declared = ofIdentity(identities, identities.authenticate(presented, arrival.address));
  if ("caller" in declared && mayEnter(entry, declared.caller)) return declared;
  // What no key is costs this whatever it is. The headers of AI clients may hold a key, but never the members' token.
  const term = members.termOf(presented);
  if ("caller" in issued) return issued;
  if ("caller" in declared) return declared;
  if (term !== undefined && arrival.head?.isBearer === true)
    return { caller: { kind: "member", id: MEMBER_ID, permissionSets: MEMBER_SETS, term } };
  if (declared.refused !== "unknown") return declared;
  const admitted = entry.kind === "open" ? undefined : entry.identities;
  if (presented === undefined || !identities.someSlow(admitted)) return issued;
  const slow = identities.authenticateSlowly(presented, arrival.address, () => pastLimit(parts, arrival));
  const settle = (found: IdentityVerdict) =>
    found.ok || found.reason !== "unknown" ? ofIdentity(identities, found) : issued;
  return slow instanceof Promise ? slow.then(settle) : settle(slow);
}

function ofKey(
  keys: KeyReader,
  found: ReturnType<KeyReader["authenticate"]>,
  address: string | null,
): Verdict {
  if (!found.ok) return { refused: found.reason };
  const { id, permissionSets, slot, models } = found.key;
  keys.markUsed(slot, address);
  return { caller: { kind: "key", id, permissionSets, slot, models } };
}

function ofIdentity(identities: Identities, found: IdentityVerdict): Verdict {
  if (!found.ok) return { refused: found.reason };
  const { id, name, permissionSets, slot } = found.identity;
  identities.markUsed(slot);
  return { caller: { kind: "identity", id, resource: name, permissionSets, slot } };
}

/** Slow work is not begun for an address that got too many wrong. */
function pastLimit({ limits }: Parts, { address, time }: Arrival): AppError | undefined {
  const waitS = address === null ? undefined : limits.addresses.waitS(address, time);
  if (waitS === undefined) return undefined;
  const words = "Too many wrong credentials came from this address.";
  return new AppError("rate_limited", words, { retryAfterS: waitS });
}
