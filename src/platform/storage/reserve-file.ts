import { chmodSync, rmSync, statSync, truncateSync } from "node:fs";
import { open } from "node:fs/promises";
import type { Random } from "#platform/lib/random.ts";

/** So much is given at once: another program that fills the disk meanwhile takes no more than that. */
const STEP_BYTES = 1024 * 1024;
const MODE = 0o600;

/** Blocks of the disk that nobody else can take, kept for what must be written when it is full. */
export class ReserveFile {
  readonly path: string;
  readonly wantedBytes: number;
  readonly #random: Random;

  constructor(parts: { readonly path: string; readonly wantedBytes: number; readonly random: Random }) {
    this.path = parts.path;
    this.wantedBytes = parts.wantedBytes;
    this.#random = parts.random;
  }

  get heldBytes(): number {
    return statSync(this.path, { throwIfNoEntry: false })?.size ?? 0;
  }

  /** Frees one step for whoever writes next; false where nothing is left, or the system refuses. */
  give(): boolean {
    const held = this.heldBytes;
    if (held === 0) return false;
    try {
      truncateSync(this.path, Math.max(0, held - STEP_BYTES));
      return true;
    } catch {
      return false;
    }
  }

  /** Makes the file as large as it is to be, and no larger. Throws what the file system throws. */
  async refill(): Promise<void> {
    if (this.wantedBytes === 0) return rmSync(this.path, { force: true });
    if (this.heldBytes > this.wantedBytes) return truncateSync(this.path, this.wantedBytes);
    if (this.heldBytes === this.wantedBytes) return;
    await using file = await open(this.path, "a", MODE);
    // The umask may have taken bits.
    chmodSync(this.path, MODE);
    for (let missing = this.#missing(); missing > 0; missing = this.#missing())
      // Random, since a file system that compresses would keep no room for zeros.
      await file.appendFile(this.#random.bytes(Math.min(STEP_BYTES, missing)));
    await file.sync();
  }

  #missing(): number {
    return this.wantedBytes - this.heldBytes;
  }
}
