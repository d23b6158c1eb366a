import { parseIp, unmapIp } from "#platform/lib/ip-address.ts";
import { Bucket } from "./bucket.ts";

/** How many credentials an address may get wrong, at once or a minute. */
const FAILURES_PER_MINUTE = 30;
/** How many addresses are remembered; beyond, the one that failed longest ago is forgotten. */
const MOST_ADDRESSES = 10_000;
/** A household or a machine has a whole network of this many bytes of IPv6. */
const NETWORK_BYTES = 8;

/** Counts failures of authentication by address: by each of IPv4, by each /64 of IPv6. */
export class AddressFailures {
  /** The one that failed last is the last. */
  readonly #buckets = new Map<string, Bucket>();

  /**
   * A credential from this address was wrong, at `nowMs`. Gives undefined while the address may get some wrong, else
   * the whole seconds until it may again.
   */
  failed(address: string, nowMs: number): number | undefined {
    const network = networkOf(address);
    const bucket = this.#buckets.get(network) ?? new Bucket(FAILURES_PER_MINUTE, nowMs);
    this.#buckets.delete(network);
    this.#buckets.set(network, bucket);
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > MOST_ADDRESSES && oldest !== undefined) this.#buckets.delete(oldest);
    const { taken, waitMs } = bucket.take(nowMs);
    return taken ? undefined : Math.ceil(waitMs / 1000);
  }
}

function networkOf(address: string): string {
  const read = parseIp(address);
  if (read === undefined) return address;
  const bytes = unmapIp(read);
  return bytes.slice(0, bytes.length === 4 ? 4 : NETWORK_BYTES).join(".");
}
