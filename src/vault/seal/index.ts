export { openSeal } from "./open-seal.ts";
export type { FailedValue, ResealReport, SealedColumn } from "./reseal.ts";
export { serverKeyRoutes } from "./routes/routes.ts";
export type { Seal } from "./seal.ts";
export type { Place, SealedValue } from "./sealed-value.ts";
export type { ServerKey } from "./server-key.ts";
export { storedSeal } from "./stored-seal.ts";
