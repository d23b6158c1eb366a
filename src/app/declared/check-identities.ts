import { parsePublicHash } from "#identity/keys/index.ts";
import { MOST_SLOW_IDENTITIES } from "#identity/slow-hashes/index.ts";
import { quoted } from "#platform/config/quoted.ts";
import type { Given, Resource } from "#platform/config/resources.ts";
import { type identityKind, idFault, listOf } from "./identity.ts";
import { type Referred, setFault } from "./references.ts";

type Identity = (typeof identityKind)["whole"]["_output"];

/** What identities say that fits neither each other nor the rest of the file. */
export function checkIdentities(identities: readonly Resource<Identity>[], referred: Referred): void {
  const byHash = new Map<string, string>();
  const byId = new Map<string, string>();
  for (const { name, given, report } of identities) {
    checkPermissions(given, report, referred);
    const id = given.id ?? name;
    const fault = idFault(id);
    if (fault !== undefined) report(given.id === undefined ? [] : ["id"], fault, "value");
    const same = byId.get(id);
    if (same !== undefined)
      report(given.id === undefined ? [] : ["id"], `${quoted(same)} has the same id; each needs its own`);
    else byId.set(id, name);
    const hash = given.credential?.api_key;
    if (hash === undefined) continue;
    const holder = byHash.get(hash);
    if (holder === undefined) byHash.set(hash, name);
    else
      report(
        ["credential", "api_key"],
        `the identity ${quoted(holder)} has the same credential; each needs its own`,
      );
  }
  checkSlow(identities);
}

/** Each slow hash is one more that every unknown key has to be tried against. */
function checkSlow(identities: readonly Resource<Identity>[]): void {
  const isSlow = ({ given }: Resource<Identity>) => {
    const hash = parsePublicHash(given.credential?.api_key ?? "");
    return "algorithm" in hash && hash.algorithm !== "sha256";
  };
  for (const { report } of identities.filter(isSlow).slice(MOST_SLOW_IDENTITIES))
    report(
      ["credential", "api_key"],
      `at most ${MOST_SLOW_IDENTITIES} identities may have an argon2id or scrypt hash; give this one a key of claviger api-key generate`,
    );
}

function checkPermissions(
  { permissions = [] }: Given<Identity>,
  report: Resource<Identity>["report"],
  referred: Referred,
): void {
  listOf(permissions).forEach((name, index) => {
    const fault = setFault(name, referred);
    const path = typeof permissions === "string" ? ["permissions"] : ["permissions", index];
    if (fault !== undefined) report(path, fault);
  });
}
