import { expect, test } from "vitest";
import { reloadUnderLoad } from "../reload/under-load.ts";

test("[I13] 1,000 reloads under load: listeners that stay drop nothing", async () => {
  const { failed, asked } = await reloadUnderLoad(1000);
  expect(failed).toEqual([]);
  expect(asked).toBeGreaterThan(200);
}, 120_000);
