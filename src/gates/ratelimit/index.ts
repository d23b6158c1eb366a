export { AddressFailures } from "./address-failures.ts";
export { type AddressMemory, createAddressMemory } from "./address-memory.ts";
export { type KeyLimits, keyLimits } from "./key-limits.ts";
export { createLimiterMemory, type LimiterMemory } from "./limiter-memory.ts";
export { PrincipalLimiter } from "./principal-limiter.ts";
export { usedByAll, usedInWindows } from "./store.ts";
