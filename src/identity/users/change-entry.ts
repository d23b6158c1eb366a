import type { AuditEntry } from "#gates/audit/index.ts";
import type { ChangeAuthor } from "#platform/http/exchange.ts";
import { callerId } from "#platform/http/ports.ts";

/** What a record of a change says. */
export function changeEntry(action: string, target: string | null, by: ChangeAuthor): AuditEntry {
  const { principal, address, requestId } = by;
  return { actor: callerId(principal), action, target, outcome: "success", address, requestId, count: 1 };
}
