import * as z from "zod";
import type { ChangeAuthor } from "#platform/http/exchange.ts";
import { AppError } from "#platform/lib/error.ts";
import { type ClusterCredentials, writeCredentials } from "../credential-files.ts";
import type { MemberRecord } from "../members/member-record.ts";
import { FLEET_DEADLINE_MS, type FleetParts, noted, requireMember } from "./fleet-parts.ts";
import type { PastTokens } from "./past-tokens.ts";
import { sealPinChange } from "./pin-change.ts";

/** Why a node does not have the PIN of this one. */
export const PIN_REASONS = ["unreachable", "needs_pin", "refused"] as const;

/** A node after a PIN was propagated. */
interface ToldNode {
  readonly id: string;
  readonly name: string;
  /** Whether it has this node's PIN now. */
  readonly taken: boolean;
  /** Null where it has. */
  readonly reason: (typeof PIN_REASONS)[number] | null;
}

/** No PIN was ever set so often: whoever says so would have this node's own count run over. */
const MOST_GENERATIONS = 1_000_000;

/** What a node answers that was told of another PIN; the pair is what it has now. */
export const takeAnswer = z.object({
  taken: z.boolean(),
  epoch: z.int(),
  pin_generation: z.int().max(MOST_GENERATIONS),
});
type Behind = z.infer<typeof takeAnswer>;

/** The way to give this node's PIN to the others. */
type Parts = FleetParts & { readonly tokens: PastTokens };

const PATH = "/cluster/credentials";

/**
 * Gives all other nodes this node's PIN, as its files have it now, where they had one that was in force here since the
 * start; tells of each, by name. Throws AppError `cluster_closed`.
 */
export async function propagatePin(parts: Parts, by: ChangeAuthor): Promise<ToldNode[]> {
  const { cluster, presence, database, audit } = parts;
  // What reset-pin wrote a moment ago may not have been read yet.
  const now = await cluster.change(async () => requireMember(cluster));
  await database.transaction(noted(audit, { action: "cluster.propagate", target: now.clusterId }, by));
  const first = await pushAll(parts, now);
  const ahead = Math.max(...first.map(({ said }) => generationAhead(said, now)), 0);
  // The PIN was set there more often, and is the one before all the same: this node's count has to be the greater one.
  const told = ahead === 0 ? first : await pushAll(parts, await raise(parts, now, ahead));
  presence.greetSoon();
  return told.map(({ node }) => node);
}

interface Pushed {
  readonly node: ToldNode;
  readonly said: Behind | undefined;
}

function pushAll(parts: Parts, now: ClusterCredentials): Promise<Pushed[]> {
  return Promise.all(parts.roster.others().map((member) => push(parts, member, now)));
}

async function push(parts: Parts, member: MemberRecord, now: ClusterCredentials): Promise<Pushed> {
  const { calls, roster, random, tokens } = parts;
  const { id, name } = member;
  const way = { clusterId: now.clusterId, from: roster.ownId, to: id };
  const sealed = tokens.all().map((token) => sealPinChange(token, now, way, random));
  const not = (reason: ToldNode["reason"], said?: Behind) => ({
    node: { id, name, taken: false, reason },
    said,
  });
  try {
    const { status, json } = await calls.call(member, PATH, { sealed }, { deadlineMs: FLEET_DEADLINE_MS });
    const said = takeAnswer.safeParse(json);
    if (status === 403) return not("needs_pin");
    if (status !== 200 || !said.success) return not("refused");
    if (!said.data.taken) return not("refused", said.data);
    return { node: { id, name, taken: true, reason: null }, said: undefined };
  } catch {
    return not("unreachable");
  }
}

/** How far the count of one that opened what it got is above ours; 0 where it is not, or its salt is newer. */
function generationAhead(said: Behind | undefined, now: ClusterCredentials): number {
  return said !== undefined && said.epoch === now.epoch && said.pin_generation >= now.pinGeneration
    ? said.pin_generation
    : 0;
}

function raise(
  { cluster, directory }: Parts,
  known: ClusterCredentials,
  above: number,
): Promise<ClusterCredentials> {
  return cluster.change(async () => {
    const now = requireMember(cluster);
    if (now.memberToken.expose() !== known.memberToken.expose())
      throw new AppError("cluster_closed", "The PIN was set anew meanwhile; propagate it again.");
    const raised = { ...now, pinGeneration: above + 1 };
    writeCredentials(directory, raised);
    return raised;
  });
}
