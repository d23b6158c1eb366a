import { hostname, networkInterfaces } from "node:os";
import { isLoopback } from "#platform/config/listen.ts";

/** An address of the machine, as the system lists it. */
interface MachineAddress {
  readonly address: string;
  readonly family: string;
  readonly internal: boolean;
}

const MOST_URLS = 8;
const EVERY_ADDRESS: Readonly<Record<string, string>> = { "0.0.0.0": "IPv4", "[::]": "IPv6" };
const LINK_LOCAL = /^fe[89ab]/i;
const HOST_NAME = /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/;

/**
 * Where other machines reach a server that listens at `urls`, the likeliest first: one that listens on every address is
 * reached by each of the machine's, then by its name. What only this machine reaches counts where there is nothing else.
 */
export function reachableUrls(
  urls: readonly string[],
  machine: { readonly addresses: readonly MachineAddress[]; readonly name: string } = thisMachine(),
): readonly string[] {
  const addresses = machine.addresses.filter(
    ({ address, internal }) => !internal && !LINK_LOCAL.test(address),
  );
  const expanded = urls.flatMap((text) => {
    const url = new URL(text);
    const family = EVERY_ADDRESS[url.hostname];
    if (family === undefined) return [url.origin];
    const own = addresses.filter((each) => each.family === family).map(({ address }) => address);
    return own.map((address) => at(url, family === "IPv6" ? `[${address}]` : address));
  });
  const beyond = expanded.filter((url) => !isLoopback(hostOf(url)));
  const listensEverywhere = urls.map((text) => new URL(text)).filter((url) => url.hostname in EVERY_ADDRESS);
  const named = HOST_NAME.test(machine.name) ? listensEverywhere.map((url) => at(url, machine.name)) : [];
  const reachable = [...new Set([...beyond, ...named])];
  return (reachable.length > 0 ? reachable : [...new Set(expanded)]).slice(0, MOST_URLS);
}

function at({ protocol, port }: URL, host: string): string {
  return new URL(`${protocol}//${host}${port === "" ? "" : `:${port}`}`).origin;
}

function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^\[|\]$/g, "");
}

function thisMachine() {
  return { addresses: Object.values(networkInterfaces()).flatMap((of) => of ?? []), name: hostname() };
}
