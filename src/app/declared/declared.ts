import { permissionSetKind } from "#gates/access/index.ts";
import type { Resource, ResourceReader, ResourceSection } from "#platform/config/resources.ts";
import { type DeclaredProvider, providerResourceKind } from "#services/gateway/index.ts";
import { checkHttpServers } from "./check-http-servers.ts";
import { checkIdentities } from "./check-identities.ts";
import { type DeclaredHttpServer, httpServerKind, toHttpServer } from "./http-server.ts";
import { type DeclaredIdentity, identityKind, toIdentity } from "./identity.ts";
import type { DeclaredSets } from "./references.ts";

/** What `resources:` of claviger.yaml declares, checked, each list in the order of the file. */
export interface Declared {
  readonly permissionSets: DeclaredSets;
  readonly identities: readonly DeclaredIdentity[];
  readonly httpServers: readonly DeclaredHttpServer[];
  readonly providers: readonly DeclaredProvider[];
  /** The type of every resource, by name. */
  readonly types: ReadonlyMap<string, string>;
}

/** The kinds of resource that a file may hold. */
export const RESOURCE_KINDS = [
  permissionSetKind,
  identityKind,
  httpServerKind,
  providerResourceKind,
] as const;

/** Reads every resource, and reports what is wrong with any. */
export const readDeclared: ResourceReader<Declared> = (section) => {
  section.refuseOthers(
    RESOURCE_KINDS.map(({ resourceType }) => resourceType),
    { Route: "this version has no resource_type Route" },
  );
  const permissionSets = readPermissionSets(section);
  const identities = section.of(identityKind);
  const httpServers = section.of(httpServerKind);
  checkIdentities(identities, { permissionSets, types: section.types });
  checkHttpServers(httpServers, { permissionSets, types: section.types });
  return {
    permissionSets,
    identities: whole(identities, toIdentity),
    httpServers: whole(httpServers, toHttpServer),
    providers: readProviders(section),
    types: section.types,
  };
};

function readPermissionSets(section: ResourceSection): DeclaredSets {
  const sets = section.of(permissionSetKind).map(({ name, given, value, report }) => {
    const set = permissionSetKind.toDeclared(given);
    if (!("problem" in set)) return [name, set] as const;
    if (value !== undefined) report([], set.problem);
    return [name, { allow: [] }] as const;
  });
  return Object.fromEntries(sets);
}

function readProviders(section: ResourceSection): DeclaredProvider[] {
  return section.of(providerResourceKind).flatMap(({ name, value, report }) => {
    if (value === undefined) return [];
    const provider = providerResourceKind.toDeclared(name, value);
    if (!("problems" in provider)) return [provider];
    for (const { path, problem } of provider.problems) report(path, problem);
    return [];
  });
}

function whole<Value, Made>(
  resources: readonly Resource<Value>[],
  make: (name: string, value: Value) => Made,
): Made[] {
  return resources.flatMap(({ name, value }) => (value === undefined ? [] : [make(name, value)]));
}
