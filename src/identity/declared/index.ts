export { type DeclaredIdentities, openDeclaredIdentities } from "./declared-identities.ts";
export { attachIdentities, type Identities, type IdentityVerdict } from "./identities.ts";
export {
  createIdentityMemory,
  type DeclaredIdentity,
  type IdentityMemory,
  type IdentityRecord,
} from "./identity.ts";
export { identityRoutes } from "./routes/identity-routes.ts";
