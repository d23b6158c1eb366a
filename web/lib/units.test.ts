import { expect, test } from "vitest";
import { exactQuantity, shortQuantity, type Unit } from "./units.ts";

const shown = (unit: Unit, values: readonly number[]) => values.map((value) => shortQuantity(value, unit));

test("counts and tokens are short from a thousand on", () => {
  for (const unit of ["count", "tokens"] as const)
    expect(shown(unit, [0, 7, 999, 1000, 1250, 999_999, 1_234_567, 2e9, 3e12])).toEqual([
      "0",
      "7",
      "999",
      "1K",
      "1.3K",
      "1M",
      "1.2M",
      "2B",
      "3T",
    ]);
});

test("dollars have cents, below one four places, and below a tenth of a cent what counts of them", () => {
  expect(shown("usd", [0, 1, 1234.5, 0.5, 0.0042, 0.001, 0.000_123_4, -2.5])).toEqual([
    "$0.00",
    "$1.00",
    "$1,234.50",
    "$0.50",
    "$0.0042",
    "$0.001",
    "$0.00012",
    "-$2.50",
  ]);
});

test("bytes go by 1024, up to TiB", () => {
  expect(
    shown("bytes", [0, 0.5, 1, 1023, 1024, 1536, 3.4 * 1024 ** 2, 1024 ** 3, 1024 ** 4, 1024 ** 5]),
  ).toEqual(["0 B", "1 B", "1 B", "1,023 B", "1 KiB", "1.5 KiB", "3.4 MiB", "1 GiB", "1 TiB", "1,024 TiB"]);
});

test("times are in milliseconds below a second, and shares in percent", () => {
  expect(shown("ms", [0, 12.4, 999, 1000, 1250, 61_000])).toEqual([
    "0 ms",
    "12 ms",
    "999 ms",
    "1 s",
    "1.3 s",
    "61 s",
  ]);
  expect(shown("share", [0, 0.042, 0.5, 1])).toEqual(["0 %", "4.2 %", "50 %", "100 %"]);
});

test("exact quantities lose no digit, and say what they are of", () => {
  expect(exactQuantity(1_234_567, "count")).toBe("1,234,567");
  expect(exactQuantity(1_234_567, "tokens")).toBe("1,234,567 tokens");
  expect(exactQuantity(0.000_123_45, "usd")).toBe("0.00012345 US dollars");
  expect(exactQuantity(1025, "bytes")).toBe("1,025 bytes");
  expect(exactQuantity(12.5, "ms")).toBe("12.5 milliseconds");
  expect(exactQuantity(0.0423, "share")).toBe("4.23 percent");
});
