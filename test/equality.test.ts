import { createSecretKey } from "node:crypto";
import { expect, test } from "vitest";
import { Secret } from "#platform/lib/secret.ts";

test("secrets and keys are equal by what is in them, and no pattern stands for a text", () => {
  const secret = (text: string) => ({ kept: [new Secret(text)] });
  expect(secret("one")).toEqual(secret("one"));
  expect(secret("one")).not.toEqual(secret("two"));
  expect(secret("one")).not.toMatchObject(secret("two"));
  const key = (byte: number) => ({ key: createSecretKey(Buffer.alloc(16, byte)) });
  expect(key(1)).toEqual(key(1));
  expect(key(1)).not.toEqual(key(2));
  expect({ detail: "text" }).not.toMatchObject({ detail: /text/ });
  expect({ detail: /text/ }).toMatchObject({ detail: /text/ });
});
