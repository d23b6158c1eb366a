import { expect, test, vi } from "vitest";
import { AddressRanges } from "#platform/lib/address-ranges.ts";
import { systemRandom } from "#platform/lib/random.ts";
import { createLog } from "#platform/log/log.ts";
import { announcements, openDiscovery } from "./discovery.ts";

const link = (...addresses: readonly [string, ...string[]]) => ({
  address: addresses[0],
  addresses,
  ranges: new AddressRanges([]),
});
const lan = link("192.168.1.20", "fd00::20");
const other = link("10.0.0.5");
const told = (...places: readonly { address: string; port: number }[]) =>
  announcements(places, [lan, other]).map(({ port, addresses }) => [port, ...addresses]);

test("[C7] each link is told of the addresses at which a listener is reached there, and of no other", () => {
  expect(told({ address: "0.0.0.0", port: 8442 })).toEqual([
    [8442, "192.168.1.20"],
    [8442, "10.0.0.5"],
  ]);
  expect(told({ address: "0.0.0.0", port: 8442 }, { address: "::", port: 8442 })).toEqual([
    [8442, "192.168.1.20", "fd00::20"],
    [8442, "10.0.0.5"],
  ]);
  expect(told({ address: "10.0.0.5", port: 9000 })).toEqual([[9000, "10.0.0.5"]]);
  expect(told({ address: "::", port: 1 }, { address: "192.168.1.20", port: 2 })).toEqual([[1, "fd00::20"]]);
});

test("[N7] nothing is told where no listener is reached from another machine", () => {
  expect(told()).toEqual([]);
  expect(told({ address: "127.0.0.1", port: 8442 }, { address: "::1", port: 8442 })).toEqual([]);
});

test("[C7] a machine whose networks cannot be listed is told of once, and nothing ends", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  const lines: string[] = [];
  const places = () => {
    throw Object.assign(new Error("no networks"), { code: "EAFNOSUPPORT" });
  };
  {
    await using _discovery = openDiscovery({
      mode: "on",
      isMember: () => true,
      isJoiningOpen: () => false,
      name: () => "box",
      places,
      random: systemRandom,
      log: createLog({ level: "info", sink: { write: (line) => void lines.push(line) } }),
    });
    vi.advanceTimersByTime(5000);
  }
  vi.useRealTimers();
  expect(lines.map((line) => JSON.parse(line).code)).toEqual(["EAFNOSUPPORT"]);
});
