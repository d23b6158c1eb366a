import { type NetworkInterfaceInfo, networkInterfaces } from "node:os";
import { AddressRanges } from "../lib/address-ranges.ts";

const MOST_LINKS = 16;
const MOST_ADDRESSES = 8;

/** One network that this machine is on, with IPv4. */
export interface Link {
  /** The address of this machine by which it speaks there. */
  readonly address: string;
  /** All by which others there reach it, IPv4 before IPv6; none that needs a zone. */
  readonly addresses: readonly string[];
  /** Who is on it. */
  readonly ranges: AddressRanges;
}

/** The networks of this machine as of now, loopback left out; at most 16. */
export function localLinks(): readonly Link[] {
  return Object.values(networkInterfaces())
    .map((infos) => linkOf((infos ?? []).filter(({ internal }) => !internal)))
    .filter((link) => link !== undefined)
    .slice(0, MOST_LINKS);
}

function linkOf(infos: readonly NetworkInterfaceInfo[]): Link | undefined {
  const v4 = infos.filter(({ family }) => family === "IPv4");
  const v6 = infos.filter(({ family, scopeid }) => family === "IPv6" && (scopeid ?? 0) === 0);
  const [first] = v4;
  if (first === undefined) return undefined;
  const reached = [...v4, ...v6].slice(0, MOST_ADDRESSES);
  return {
    address: first.address,
    addresses: reached.map(({ address }) => address),
    ranges: new AddressRanges(reached.map(({ cidr }) => cidr ?? "")),
  };
}
