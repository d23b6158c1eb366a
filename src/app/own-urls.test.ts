import { expect, test } from "vitest";
import { reachableUrls } from "./own-urls.ts";

const address = (text: string, more = {}) => ({
  address: text,
  family: text.includes(":") ? "IPv6" : "IPv4",
  internal: false,
  ...more,
});
const machine = {
  name: "box",
  addresses: [
    address("127.0.0.1", { internal: true }),
    address("::1", { internal: true }),
    address("192.168.1.20"),
    address("10.0.0.2"),
    address("fe80::1"),
    address("2001:db8::20"),
  ],
};

test.each([
  [
    "every address",
    ["https://0.0.0.0:8442"],
    ["https://192.168.1.20:8442", "https://10.0.0.2:8442", "https://box:8442"],
  ],
  [
    "every address of both kinds",
    ["https://0.0.0.0:8442", "https://[::]:8442"],
    ["https://192.168.1.20:8442", "https://10.0.0.2:8442", "https://[2001:db8::20]:8442", "https://box:8442"],
  ],
  ["one address", ["https://192.168.1.20:9000"], ["https://192.168.1.20:9000"]],
  [
    "loopback alone",
    ["https://127.0.0.1:8442", "https://[::1]:8442"],
    ["https://127.0.0.1:8442", "https://[::1]:8442"],
  ],
  ["loopback beside others", ["https://127.0.0.1:8442", "https://10.0.0.2:8442"], ["https://10.0.0.2:8442"]],
  ["the usual port", ["https://0.0.0.0:443"], ["https://192.168.1.20", "https://10.0.0.2", "https://box"]],
  ["nowhere", [], []],
])("[C7] where other machines reach one that listens on %s", (_what, urls, expected) => {
  expect(reachableUrls(urls, machine)).toEqual(expected);
});

test("[C7] there are no more than a record takes, and a name that is no host name is none of them", () => {
  const many = { name: "no host", addresses: Array.from({ length: 12 }, (_, at) => address(`10.0.0.${at}`)) };
  const urls = reachableUrls(["https://0.0.0.0:8442"], many);
  expect(urls).toHaveLength(8);
  expect(reachableUrls(["https://0.0.0.0:8442"], { ...many, addresses: [] })).toEqual([]);
});
