import { expect, test } from "vitest";
import { resourceName } from "./resource-name.ts";

test.each(["", "-a", ".a", "a b", "a/b", "ä", "a".repeat(64), "a\n", 1, null])("%j is no name", (name) => {
  expect(resourceName.safeParse(name).success).toBe(false);
});

test.each(["a", "7", "A.b_c-d", "a".repeat(63)])("%j is a name", (name) => {
  expect(resourceName.parse(name)).toBe(name);
});
