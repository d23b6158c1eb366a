import { expect, test } from "vitest";
import { kindsByName } from "#services/gateway/index.ts";
import { KIND_NAMES } from "./provider-add.ts";

test("[G10] the command offers the kinds the gateway has, in their order", () => {
  expect(KIND_NAMES).toEqual([...kindsByName().keys()]);
});
