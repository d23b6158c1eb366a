import { expect, test } from "vitest";
import { isDamage, isDiskFull, isRefusedBySystem } from "./sqlite-code.ts";

// sqlite.org/rescode.html: SQLITE_READONLY, SQLITE_IOERR_WRITE, SQLITE_FULL, SQLITE_CANTOPEN_FULLPATH.
test.each([8, 778, 13, 782])("code %i says that the system refused", (code) => {
  expect(isRefusedBySystem(code)).toBe(true);
});

// SQLITE_ERROR, SQLITE_BUSY, SQLITE_CORRUPT_INDEX, SQLITE_CONSTRAINT_UNIQUE.
test.each([1, 5, 779, 2067, undefined])("code %s says no such thing", (code) => {
  expect(isRefusedBySystem(code)).toBe(false);
});

test("a full disk is told from damage", () => {
  expect([isDiskFull(13), isDiskFull(4874), isDiskFull(778)]).toEqual([true, true, false]);
  expect([isDamage(779), isDamage(26), isDamage(13)]).toEqual([true, true, false]);
});
