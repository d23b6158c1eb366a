import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { AddressRanges, isAddressRange } from "./address-ranges.ts";

describe("addresses a key may be used from", () => {
  test.each([
    ["10.1.2.3", "10.1.2.3", true],
    ["10.1.2.3", "::ffff:10.1.2.3", true],
    ["::ffff:10.1.2.3", "10.1.2.3", true],
    ["::ffff:10.0.0.0/104", "10.200.0.1", true],
    ["10.1.2.3", "10.1.2.4", false],
    ["10.0.0.0/8", "10.255.255.255", true],
    ["10.9.9.9/8", "10.0.0.0", true],
    ["10.0.0.0/8", "11.0.0.0", false],
    ["10.0.0.0/8", "::a00:1", false],
    ["0.0.0.0/0", "203.0.113.1", true],
    ["0.0.0.0/0", "2001:db8::1", false],
    ["::/0", "203.0.113.1", true],
    ["2001:db8::/33", "2001:db8:7fff::1", true],
    ["2001:db8::/33", "2001:db8:8000::1", false],
    ["2001:db8::1", "2001:DB8:0:0:0:0:0:1", true],
    ["fe80::/10", "fe80::1%eth0", true],
    ["fe80::1/128", "fe80::2", false],
  ])("[I10] %s and %s: %s", (range, address, held) => {
    expect(isAddressRange(range)).toBe(true);
    expect(new AddressRanges([range]).holds(address)).toBe(held);
    expect(new AddressRanges(["192.0.2.1", range, "192.0.2.2"]).holds(address)).toBe(held);
  });

  test.each([
    "",
    "10.0.0",
    "10.0.0.0/33",
    "::/129",
    "10.0.0.0/",
    "a",
    "010.0.0.1",
    "10.0.0.1/8/8",
    "fe80::1%eth0",
    "::/-1",
    "1.2.3.4 ",
  ])("[I10] %j is neither an address nor a range", (text) => {
    expect(isAddressRange(text)).toBe(false);
    expect(new AddressRanges([text]).holds("10.0.0.1")).toBe(false);
  });

  it("[I10] an unknown address is in no range, not even in all of them", () => {
    const all = new AddressRanges(["0.0.0.0/0", "::/0"]);
    expect([null, "", "somewhere", "10.0.0.1"].map((address) => all.holds(address))).toEqual([
      false,
      false,
      false,
      true,
    ]);
  });

  it("[I10] an IPv4 range holds what arithmetic says", () => {
    const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });
    const text = (value: number) =>
      [24, 16, 8, 0].map((bits) => Math.floor(value / 2 ** bits) % 256).join(".");
    const property = fc.property(word, word, fc.nat({ max: 32 }), fc.boolean(), (base, other, bits, near) => {
      const size = 2 ** (32 - bits);
      const address = near ? Math.floor(base / size) * size + (other % size) : other;
      const held = Math.floor(address / size) === Math.floor(base / size);
      return new AddressRanges([`${text(base)}/${bits}`]).holds(text(address)) === held;
    });
    fc.assert(property, { seed: 3, numRuns: 2000 });
  });
});
