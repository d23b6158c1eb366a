import { expect, test } from "vitest";
import { nodeUrl } from "./node-url.ts";

test.each([
  [["http://127.0.0.1:8441", "https://192.0.2.1:8442", "https://192.0.2.2:8442"], "https://192.0.2.1:8442"],
  [["http://127.0.0.1:8441", "http://[::1]:8441"], "http://127.0.0.1:8441"],
  [["https://0.0.0.0:8442"], "https://box:8442"],
  [["https://[::]:8442"], "https://box:8442"],
  [["https://0.0.0.0:443"], "https://box"],
  [["https://[2001:db8::1]:8442"], "https://[2001:db8::1]:8442"],
  [[], undefined],
])("[H7] a server that listens at %j is found at %s", (urls, expected) => {
  expect(nodeUrl(urls, "box")).toBe(expected);
});
