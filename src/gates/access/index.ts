export { allows, allowsSome, exceeds, type Rights, rightsOf } from "./authorise.ts";
export { matchesSome } from "./glob-list.ts";
export { type PermissionSets, permissionSets, setsNamed } from "./permission-set.ts";
export { permissionSetKind } from "./permission-set-kind.ts";
