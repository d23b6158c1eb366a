import type { KeptTable } from "#platform/storage/old-rows.ts";
import { STEPS_MS } from "./sums/store.ts";

const STEP_KEY = ["step", "start", "provider", "model"] as const;
const LATENCY_KEY = [...STEP_KEY, "bound"] as const;

/**
 * What the gateway writes for each request, and is not to keep for ever. Sums by the minute, and what leads to rows that
 * are gone, go with the summing.
 */
export const KEPT_TABLES: readonly KeptTable[] = [
  // With its entries of the index.
  { table: "request", key: ["seq"], time: "time", unitMs: 1, rowBytes: 300, keptAs: "request_log" },
  {
    table: "usage_day",
    key: ["day", "principal", "provider", "model"],
    time: "day",
    unitMs: STEPS_MS.day,
    rowBytes: 100,
    keptAs: "usage",
  },
  {
    table: "principal_hour",
    key: ["start", "principal"],
    time: "start",
    unitMs: 1,
    rowBytes: 80,
    keptAs: "usage",
  },
  ...[STEPS_MS.hour, STEPS_MS.day].flatMap((step): KeptTable[] => [
    {
      table: "usage_step",
      key: STEP_KEY,
      among: ["step", step],
      time: "start",
      unitMs: 1,
      rowBytes: 100,
      keptAs: "usage",
    },
    {
      table: "latency_step",
      key: LATENCY_KEY,
      among: ["step", step],
      time: "start",
      unitMs: 1,
      rowBytes: 70,
      keptAs: "usage",
    },
  ]),
];
