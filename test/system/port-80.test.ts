import { expect, test } from "vitest";
import { startClaviger } from "#test/claviger.ts";
import { holdConnections } from "#test/workers/held-connections.ts";

// A URL does not show this port.
test("threads share port 80 as any other", async () => {
  await using server = await startClaviger({ workers: 2, listen: ["127.80.80.80:80"] });
  using held = await holdConnections(server, 2);
  expect(held.byThread).toHaveLength(2);
});
