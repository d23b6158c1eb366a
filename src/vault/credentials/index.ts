export { CredentialPools, type CredentialUse, type OpenedCredential } from "./credential-pools.ts";
export type { CredentialSource } from "./credential-source.ts";
export { type CredentialSummary, type Credentials, openCredentials } from "./credentials.ts";
export type { ReadPools } from "./declared-pools.ts";
export type { NamedCredential } from "./named-credentials.ts";
export { SEALED_CREDENTIALS } from "./store.ts";
