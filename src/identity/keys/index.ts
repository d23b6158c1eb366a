export { generateApiKey } from "./api-key.ts";
export { type IssuedKeys, openIssuedKeys } from "./issued-keys.ts";
export type { KeyPage, KeyRow } from "./key-list.ts";
export { type HashVerdict, publicHash, verifyPublicHash } from "./public-hash.ts";
export { keyRoutes } from "./routes/routes.ts";
