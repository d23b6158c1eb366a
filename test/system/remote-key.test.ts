import { expect, test } from "vitest";
import { startClaviger } from "#test/claviger.ts";
import { atTerminal } from "./terminal.ts";

test("[L3] at a terminal the key for another server is asked for once, and is not shown", async () => {
  await using server = await startClaviger();
  const { key } = await server.issueKey("typed", ["superadmin"]);
  const env = { ...process.env, CLAVIGER_URL: server.url };
  const { status, shown, raw } = await atTerminal(
    ["connect", "aider", "--url", "https://shown.example"],
    [["API key", key]],
    { env },
  );
  expect([status, shown]).toEqual([0, expect.stringContaining("https://shown.example")]);
  expect(raw).not.toContain(key);
});
