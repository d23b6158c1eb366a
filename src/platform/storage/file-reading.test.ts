import { expect, test } from "vitest";
import { isSameReading } from "./file-reading.ts";

const reading = (files: Readonly<Record<string, string>>) =>
  new Map(Object.entries(files).map(([name, text]) => [name, Buffer.from(text)]));

test.each([
  ["the same files", { a: "1", b: "2" }, { b: "2", a: "1" }, true],
  ["none at all", {}, {}, true],
  ["another content", { a: "1", b: "2" }, { a: "1", b: "3" }, false],
  ["one that is gone", { a: "1", b: "2" }, { a: "1" }, false],
  ["one that came", { a: "1" }, { a: "1", b: "2" }, false],
  ["an empty one in the place of none", { a: "1" }, { a: "1", b: "" }, false],
  ["another name", { a: "1" }, { b: "1" }, false],
])("[S14] two readings of %s", (_, one, other, isSame) => {
  expect(isSameReading(reading(one), reading(other))).toBe(isSame);
});
