export { openSeal } from "./open-seal.ts";
export type { Seal } from "./seal.ts";
export { type Place, type SealedValue, SealedValueError } from "./sealed-value.ts";
