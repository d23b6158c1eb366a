import type { ReadOnlyStore } from "#platform/storage/read-only-store.ts";
import { type ChainKeys, RowDigest } from "./chain-keys.ts";
import type { Findings } from "./finding.ts";
import { cutOf, otherChains, storedNumber, storedRows, toColumns } from "./stored-chain.ts";

/**
 * The rows of other chains, and of none: what the own chain vouched for must be as it was then, and anything else was put in.
 * `vouched`: the targets of its records, each `chain first-last digest`.
 */
export function checkOthers(
  store: ReadOnlyStore,
  keys: ChainKeys,
  { vouched, findings }: { readonly vouched: readonly string[]; readonly findings: Findings },
): void {
  const others = new Map(otherChains(store, keys).map(({ chain, rows }) => [chain, rows]));
  const known = new Map(vouched.map((target) => [target.split(" ")[0] ?? "", target]));
  for (const [chain, target] of known) {
    if (chain === keys.chain || isBeingRemoved(store, keys, target)) continue;
    if (digestOf(store, chain) !== target)
      findings.add("foreign", `the rows of ${chain} are not those that were taken over`);
  }
  for (const [chain, rows] of others) {
    if (!known.has(chain))
      findings.add("foreign", `${rows} rows of ${chain} were written under another secret, and put in`);
  }
}

/** Whether the own chain signed that the first rows of another went for their age, and nothing else is there again. */
function isBeingRemoved(store: ReadOnlyStore, keys: ChainKeys, target: string): boolean {
  const [, chain = "", last] = /^(\S+) \d+-(\d+) /.exec(target) ?? [];
  const cut = cutOf(store, keys, chain);
  if (cut === undefined) return false;
  const behind = storedNumber(store, "SELECT count(*) FROM audit WHERE chain = ? AND seq > ?", chain, cut);
  const all = storedNumber(store, "SELECT count(*) FROM audit WHERE chain = ?", chain);
  return all === behind && (cut < Number(last) || behind === 0);
}

function digestOf(store: ReadOnlyStore, chain: string): string {
  const digest = new RowDigest();
  let [first, last] = [0, -1];
  const everything = { from: Number.MIN_SAFE_INTEGER, to: Number.MAX_SAFE_INTEGER };
  for (const stored of storedRows(store, chain, everything)) {
    const row = toColumns(stored);
    if (row === undefined) return "";
    digest.add(row);
    first ||= row.seq;
    last = row.seq;
  }
  return `${chain} ${first}-${last} ${digest.end()}`;
}
