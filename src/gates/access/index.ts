export { allows, allowsSome, exceedsOwn, heldActions, rightsOf } from "./authorise.ts";
export { type PermissionSets, permissionSets, setsNamed } from "./permission-set.ts";
export { permissionSetKind } from "./permission-set-kind.ts";
export { permissionSetRoute } from "./routes/list-permission-sets.ts";
