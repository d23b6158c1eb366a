import type * as z from "zod";
import type { ChangeAuthor } from "#platform/http/exchange.ts";
import { AppError } from "#platform/lib/error.ts";
import type { ClusterCredentials } from "../credential-files.ts";
import { keepCredentials } from "../keep-credentials.ts";
import { type FleetParts, requireMember } from "./fleet-parts.ts";
import { openPinChange } from "./pin-change.ts";
import type { takeAnswer } from "./propagate.ts";

/**
 * Takes over the PIN that another node has, where one of `sealed` was made with the PIN that is in force here and the
 * other's is the newer one; this node's own key stays. Throws AppError `needs_pin` where none was, `cluster_closed`,
 * `storage_full`, and nothing was changed.
 */
export function takePin(
  parts: Pick<FleetParts, "cluster" | "roster" | "directory" | "database" | "audit">,
  { from, sealed }: { readonly from: string; readonly sealed: readonly string[] },
  by: ChangeAuthor,
): Promise<z.infer<typeof takeAnswer>> {
  const { cluster, roster } = parts;
  return cluster.change(async () => {
    const before = requireMember(cluster);
    const way = { clusterId: before.clusterId, from, to: roster.ownId };
    const now = firstOf(sealed, (text) => openPinChange(before, text, way));
    if (now === undefined) throw new AppError("needs_pin");
    if (!isNewer(now, before)) return answerOf(before, hasSameToken(now, before));
    await keepCredentials(parts, now, { by, action: "cluster.pin.reset" });
    return answerOf(now, true);
  });
}

function answerOf({ epoch, pinGeneration }: ClusterCredentials, taken: boolean) {
  return { taken, epoch, pin_generation: pinGeneration };
}

function hasSameToken(one: ClusterCredentials, other: ClusterCredentials): boolean {
  return one.memberToken.expose() === other.memberToken.expose();
}

function isNewer(now: ClusterCredentials, before: ClusterCredentials): boolean {
  if (now.epoch !== before.epoch) return now.epoch > before.epoch;
  return now.pinGeneration > before.pinGeneration;
}

function firstOf<Item, Result>(
  items: readonly Item[],
  find: (item: Item) => Result | undefined,
): Result | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
