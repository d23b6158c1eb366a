export { AddressFailures } from "./address-failures.ts";
export { type KeyLimits, keyLimits } from "./key-limits.ts";
export { PrincipalLimiter } from "./principal-limiter.ts";
