import { networkInterfaces } from "node:os";
import { formatIp, type IpBytes, parseIp, unmapIp } from "../lib/ip-address.ts";
import { hostOf, portOf } from "./host-policy.ts";
import { ALLOWED, denied, type Verdict } from "./verdict.ts";

/** Where this server itself accepts connections; 0.0.0.0 and :: stand for every address of this machine. */
export interface ListenAddress {
  readonly address: string;
  readonly port: number;
}

/** The address and port in a listener's URL, as `http://127.0.0.1:8441` or `https://[::]`. */
export function listenAddressOf(url: string): ListenAddress {
  const { hostname, port, protocol } = new URL(url);
  return { address: hostOf(hostname), port: portOf(protocol, port) };
}

/** Every address of this machine's network interfaces, as of now. */
export function localAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((addresses) =>
    (addresses ?? []).map(({ address }) => address),
  );
}

/**
 * Denies an address and port at which this server would reach itself: a request that goes round in circles would
 * come back with rights its sender does not have.
 */
export function judgeOwnListener(
  target: ListenAddress,
  listeners: readonly ListenAddress[],
  local: () => readonly string[],
): Verdict {
  const there = comparable(target.address);
  const reaches = listeners
    .filter(({ port }) => port === target.port)
    .map(({ address }) => comparable(address))
    .some((here) => here === there || (isEverywhere(here) && isLocal(there, local)));
  return reaches
    ? denied("own-listener", "This server does not connect to itself: the address is one it listens on.")
    : ALLOWED;
}

function comparable(address: string): string {
  const bytes = parseIp(address);
  return bytes === undefined ? address : formatIp(unmapIp(bytes));
}

function isEverywhere(address: string): boolean {
  return address === "0.0.0.0" || address === "0:0:0:0:0:0:0:0";
}

function isLocal(address: string, local: () => readonly string[]): boolean {
  return (
    address.startsWith("127.") || address === LOOPBACK6 || local().some((own) => comparable(own) === address)
  );
}

const LOOPBACK6_BYTES: IpBytes = [...Array<number>(15).fill(0), 1];
const LOOPBACK6 = formatIp(LOOPBACK6_BYTES);
