import type { KeptTable } from "#platform/storage/old-rows.ts";
import { DAY_MS } from "./usage/usage-period.ts";

/** What the gateway writes for each request, and is not to keep for ever. */
export const KEPT_TABLES: readonly KeptTable[] = [
  { table: "request", key: ["seq"], time: "time", unitMs: 1, rowBytes: 220, keptAs: "request_log" },
  {
    table: "usage_day",
    key: ["day", "principal", "provider", "model"],
    time: "day",
    unitMs: DAY_MS,
    rowBytes: 100,
    keptAs: "usage",
  },
];
