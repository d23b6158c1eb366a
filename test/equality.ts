import { KeyObject } from "node:crypto";
import { expect } from "vitest";
import { Secret } from "#platform/lib/secret.ts";

/**
 * What Vitest takes for equal without looking into it: two secrets and two keys, of which it sees no field, and in
 * `toMatchObject` a pattern and whatever stands there, where `expect.stringMatching` is meant.
 */
expect.addEqualityTesters([
  (one: unknown, other: unknown) => {
    if (one instanceof Secret && other instanceof Secret) return one.expose() === other.expose();
    if (one instanceof KeyObject && other instanceof KeyObject) return one.equals(other);
    if (other instanceof RegExp && !(one instanceof RegExp)) return false;
    return undefined;
  },
]);
