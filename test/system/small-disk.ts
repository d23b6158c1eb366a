import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { scratch } from "../start/process.ts";

/** So small a disk would always be too full. */
export const NO_BOUND = ["disk_low_mb: 0"];

/** A file system of its own, of 8 MiB unless said, with a configuration beside it; needs root. */
export function smallDisk({ mebibytes = 8, settings = NO_BOUND } = {}) {
  const place = scratch();
  const root = join(place.root, "disk");
  const filler = join(root, "filler");
  mkdirSync(root);
  const config = join(place.root, "claviger.yaml");
  writeFileSync(config, `settings:\n${settings.map((line) => `  ${line}\n`).join("")}`);
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${mebibytes}m,mode=0700`, "tmpfs", root]);
  return {
    root,
    /** The file that says `settings`. */
    config,
    /** Writes until not one more byte fits. */
    fill: () => {
      const file = openSync(filler, "a");
      for (let size = 1024 * 1024; size >= 1; ) {
        try {
          if (writeSync(file, Buffer.alloc(size)) < size) size = Math.floor(size / 2);
        } catch {
          size = Math.floor(size / 2);
        }
      }
      closeSync(file);
    },
    free: () => rmSync(filler),
    [Symbol.dispose]: () => {
      execFileSync("umount", ["-l", root]);
      place[Symbol.dispose]();
    },
  };
}
