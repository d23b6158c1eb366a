export { type KeyLimits, keyLimits } from "./key-limits.ts";
export { PrincipalLimiter } from "./principal-limiter.ts";
