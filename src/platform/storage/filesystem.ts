import { statfsSync } from "node:fs";

/** What the storage needs to know of the file system under a directory. */
export interface Filesystem {
  /** The `f_type` of statfs(2). */
  type: number;
  /** Bytes an unprivileged process may still write. */
  freeBytes: number;
}

/** Numbers from linux/magic.h and the kernel trees of the file systems themselves. */
const NETWORK_FILESYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x6969, "NFS"],
  [0x517b, "SMB"],
  [0xff534d42, "CIFS"],
  [0xfe534d42, "SMB2"],
  [0x5346414f, "AFS"],
  [0x6b414653, "AFS"],
  [0x00c36400, "Ceph"],
  [0x01021997, "9p"],
  [0x0bd00bd0, "Lustre"],
  [0x73757245, "Coda"],
  [0x564c, "NCP"],
  [0x47504653, "GPFS"],
  [0x19830326, "BeeGFS"],
  [0x20030528, "OrangeFS"],
  [0x786f4256, "vboxsf"],
  [0x01161970, "GFS2"],
  [0x7461636f, "OCFS2"],
]);

/** Name of the network file system behind a statfs type, undefined for a local one. FUSE is both, so it passes. */
export function networkFilesystem(type: number): string | undefined {
  // Some libc report f_type as a signed 32-bit number, which would hide CIFS and SMB2.
  return NETWORK_FILESYSTEMS.get(type >>> 0);
}

export function probeFilesystem(directory: string): Filesystem {
  const { type, bavail, bsize } = statfsSync(directory);
  return { type, freeBytes: bavail * bsize };
}
