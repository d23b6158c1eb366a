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
