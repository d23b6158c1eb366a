import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { scratch } from "../start/process.ts";

/** A file system of 8 MiB of its own; needs root. */
export function smallDisk() {
  const place = scratch();
  const root = join(place.root, "disk");
  const filler = join(root, "filler");
  mkdirSync(root);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=8m,mode=0700", "tmpfs", root]);
  return {
    root,
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
