export { CredentialPools, type CredentialUse, type OpenedCredential } from "./credential-pools.ts";
export { type CredentialSummary, type Credentials, openCredentials } from "./credentials.ts";
