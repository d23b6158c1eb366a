const POOL_BYTES = 8 * 1024;

/**
 * Has small buffers of this thread cut from pieces of 8 KiB, and not of Node's 64 KiB: of a piece all is held on to while
 * anything of it is, and one request lives long enough to be taken for something old. Streams then fill the old memory
 * by 64 KiB each, which has all of it looked through every few seconds: a tenth of what a chunk costs.
 */
export function keepBufferPoolSmall(): void {
  Buffer.poolSize = POOL_BYTES;
}
