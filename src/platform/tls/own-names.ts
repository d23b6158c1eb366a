import { readFileSync } from "node:fs";
import { hostname, networkInterfaces } from "node:os";

/** What a certificate of this machine's own is for. */
export interface OwnNames {
  /** DNS names, in lower case. */
  readonly names: readonly string[];
  readonly addresses: readonly string[];
}

const HOSTS_FILE = "/etc/hosts";
const NAME = /^[a-z0-9._-]{1,253}$/;

/**
 * The machine's name with its domain, in lower case: names of hosts(5) that begin as the machine's own does. What a
 * network completes names with does not count: whoever runs that network could have a page speak for this machine.
 */
export function namesWithDomain(): string[] {
  const bare = hostname().toLowerCase().split(".")[0] ?? "";
  const named = readHosts()
    .split("\n")
    .flatMap((line) => line.replace(/#.*/, "").trim().toLowerCase().split(/\s+/).slice(1));
  return [...new Set(named)].filter((name) => name.startsWith(`${bare}.`) && NAME.test(name));
}

function readHosts(): string {
  try {
    return readFileSync(HOSTS_FILE, "utf8");
  } catch {
    // Not every system has one.
    return "";
  }
}

/** The machine's names (bare, with `.local`, with its domain), `localhost`, and its addresses; loopback's are among them. */
export function ownNames(): OwnNames {
  const machine = hostname().toLowerCase();
  const bare = machine.split(".")[0] ?? machine;
  const names = ["localhost", machine, bare, `${bare}.local`, ...namesWithDomain()].filter((name) =>
    NAME.test(name),
  );
  const interfaces = Object.values(networkInterfaces()).flatMap((of) => of ?? []);
  // A link-local address means nothing without the name of an interface, which no certificate can hold.
  const addresses = interfaces.map(({ address }) => address).filter((address) => !/^fe[89ab]/i.test(address));
  return {
    names: [...new Set(names)],
    addresses: [...new Set(["127.0.0.1", "::1", ...addresses.map((address) => address.toLowerCase())])],
  };
}
