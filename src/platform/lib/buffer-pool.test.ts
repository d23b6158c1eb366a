import { expect, test } from "vitest";
import { keepBufferPoolSmall } from "./buffer-pool.ts";

test("small buffers are cut from pieces of 8 KiB, once the piece that was there before is used up", () => {
  const before = Buffer.poolSize;
  keepBufferPoolSmall();
  try {
    const sizes = Array.from({ length: 200 }, () => Buffer.allocUnsafe(1000).buffer.byteLength);
    expect(sizes.at(-1)).toBe(8 * 1024);
  } finally {
    Buffer.poolSize = before;
  }
});
