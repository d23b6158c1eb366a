import type { AddressRanges } from "../lib/address-ranges.ts";
import { formatIp, parseIp, unmapIp } from "../lib/ip-address.ts";

/**
 * Who a request comes from: the peer, or, where that is a proxy that is trusted, the rightmost address of its
 * `X-Forwarded-For` that is no trusted proxy's. What stands further left anybody may have written. An entry that is no
 * address ends the search at the proxy that wrote it.
 */
export function clientAddress(
  peer: string,
  forwardedFor: string | string[] | undefined,
  trusted: AddressRanges,
): string {
  if (forwardedFor === undefined || !trusted.holds(peer)) return peer;
  const hops = String(forwardedFor).split(",").reverse();
  let client = peer;
  for (const hop of hops) {
    const bytes = parseIp(withoutPort(hop.trim()));
    if (bytes === undefined) return client;
    client = formatIp(unmapIp(bytes));
    if (!trusted.holds(client)) return client;
  }
  return client;
}

/** Some proxies write `ADDRESS:PORT`, and IPv6 ones in brackets. */
function withoutPort(hop: string): string {
  const [, bracketed] = /^\[([^\]]+)\](?::\d{1,5})?$/.exec(hop) ?? [];
  const [, plain] = /^(\d+\.\d+\.\d+\.\d+):\d{1,5}$/.exec(hop) ?? [];
  return bracketed ?? plain ?? hop;
}
