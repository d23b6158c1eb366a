export {
  MOST_SLOW_IDENTITIES,
  openSlowHashes,
  type RefusalBeforeWork,
  type SlowHashes,
  type SlowIdentity,
} from "./open-slow-hashes.ts";
export { parsePhc, type SlowHash } from "./phc.ts";
export { slowHashMatches, slowKeyFault } from "./slow-hash.ts";
export type { SlowVerdict } from "./verdicts.ts";
