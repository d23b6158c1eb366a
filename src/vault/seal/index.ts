export { openSeal } from "./open-seal.ts";
export type { Seal } from "./seal.ts";
export type { Place, SealedValue } from "./sealed-value.ts";
