export { type CredentialSummary, type Credentials, openCredentials } from "./credentials.ts";
