import type { Registry } from "prom-client";
import { gaugeOf } from "./instruments.ts";

/** What is shown of the disk the store is on. */
export interface DiskFacts {
  readonly state: "ok" | "low" | "full";
  readonly freeBytes: number;
  readonly reserveBytes: number;
}

/** Looks at the disk whenever somebody asks. */
export function diskGauges(registry: Registry, disk: () => DiskFacts): void {
  gaugeOf(
    registry,
    "claviger_disk_free_bytes",
    "Bytes that may still be written where the store is.",
    () => disk().freeBytes,
  );
  gaugeOf(registry, "claviger_disk_low", "1 while changes are refused, since the disk is almost full.", () =>
    disk().state === "ok" ? 0 : 1,
  );
  gaugeOf(
    registry,
    "claviger_disk_reserve_bytes",
    "What the reserve holds for the changes that go on when the disk is full.",
    () => disk().reserveBytes,
  );
}
