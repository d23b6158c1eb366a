export { generateApiKey } from "./api-key.ts";
export { type IssuedKeys, openIssuedKeys } from "./issued-keys.ts";
export type { KeyMemory } from "./key-memory.ts";
export { attachKeys, type KeyReader } from "./key-reader.ts";
export { parsePublicHash, publicHash, verifyPublicHash } from "./public-hash.ts";
export { keyRoutes } from "./routes/routes.ts";
