import fc from "fast-check";
import { expect, test } from "vitest";
import { packBytes, unpackBytes } from "./packed-bytes.ts";

test("what was packed comes out again, of whatever lengths, and is in a memory of its own", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 }), (values) => {
      const packed = packBytes(values);
      expect(unpackBytes(packed)).toEqual(values);
      expect(packed.bytes.buffer.byteLength).toBe(values.reduce((sum, { length }) => sum + length, 0));
      packed.bytes.fill(0);
      expect(unpackBytes(packBytes(values))).toEqual(values);
    }),
  );
});
