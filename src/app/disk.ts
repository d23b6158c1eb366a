import { join } from "node:path";
import type { Settings } from "#platform/config/settings.ts";
import type { EventSink } from "#platform/events/event.ts";
import type { RoomGate } from "#platform/http/ports.ts";
import { AppError, StartError } from "#platform/lib/error.ts";
import type { Random } from "#platform/lib/random.ts";
import type { Timers } from "#platform/lib/timers.ts";
import type { Log } from "#platform/log/log.ts";
import { type DiskStatus, DiskWatch } from "#platform/storage/disk-watch.ts";
import { probeFilesystem } from "#platform/storage/filesystem.ts";
import { ReserveFile } from "#platform/storage/reserve-file.ts";
import type { MakeRoom } from "#platform/storage/sqlite.ts";

const MEGABYTE = 1_000_000;
const EXIT_CANTCREAT = 73;

/** The disk of the store, watched, and the reserve on it. */
export interface Disk {
  readonly watch: DiskWatch;
  /** Lets what is still written on a full disk have of the reserve, where the room of the log itself is not enough. */
  readonly makeRoom: MakeRoom;
}

/** `freeBytes`: of the file system of a directory; asked of the system unless given. Throws StartError. */
export function openDisk(parts: {
  readonly dataDir: string;
  readonly settings: Pick<Settings, "disk_low_mb" | "disk_reserve_mb">;
  readonly random: Random;
  readonly timers: Timers;
  readonly freeBytes?: ((directory: string) => number) | undefined;
}): Disk {
  const directory = join(parts.dataDir, "db");
  const { freeBytes = (asked: string) => probeFilesystem(asked).freeBytes, settings } = parts;
  const wantedBytes = settings.disk_reserve_mb * MEGABYTE;
  const reserve = new ReserveFile({ path: join(directory, "reserve"), wantedBytes, random: parts.random });
  try {
    const watched = { freeBytes: () => freeBytes(directory), lowBytes: settings.disk_low_mb * MEGABYTE };
    const watch = new DiskWatch({ ...watched, reserve, timers: parts.timers });
    const makeRoom = (times: number) => watch.look().state !== "ok" && (times === 0 || reserve.give());
    return { watch, makeRoom };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : "";
    throw new StartError(`the data directory ${parts.dataDir} cannot be used: ${reason}`, {
      exitCode: EXIT_CANTCREAT,
      cause,
    });
  }
}

/** What a change is answered while there is no room for it. */
export function roomGate(watch: DiskWatch): RoomGate {
  return {
    refusal: () => {
      const { state, freeBytes, lowBytes } = watch.look();
      if (state === "ok") return undefined;
      const detail = `${freeBytes} bytes are free`;
      return new AppError(
        "storage_full",
        `Less than ${lowBytes / MEGABYTE} MB are free on the server's disk, so nothing was changed. Make room, and send this again.`,
        { detail },
      );
    },
  };
}

/** Has the operator know, once each time, in the log and by an event. */
export function tellsOfDisk(log: Log, events: EventSink): (status: DiskStatus) => void {
  return ({ state, freeBytes }) => {
    const detail = `${freeBytes} bytes are free`;
    events.publish(state === "ok" ? "disk.ok" : "disk.low", { free_bytes: freeBytes });
    if (state === "ok")
      return log.info({ detail }, "there is room on the disk again: changes are made, and requests logged");
    return log.warn(
      { detail },
      "the disk is almost full: changes are refused, and requests are not logged; make room",
    );
  };
}
