import { hostname, networkInterfaces } from "node:os";

/** What a certificate of this machine's own is for. */
export interface OwnNames {
  /** DNS names, in lower case. */
  readonly names: readonly string[];
  readonly addresses: readonly string[];
}

/** The machine's names (bare, with `.local`, with its domain), `localhost`, and its addresses; loopback's are among them. */
export function ownNames(): OwnNames {
  const machine = hostname().toLowerCase();
  const bare = machine.split(".")[0] ?? machine;
  const names = ["localhost", machine, bare, `${bare}.local`].filter((name) =>
    /^[a-z0-9._-]{1,253}$/.test(name),
  );
  const interfaces = Object.values(networkInterfaces()).flatMap((of) => of ?? []);
  // A link-local address means nothing without the name of an interface, which no certificate can hold.
  const addresses = interfaces.map(({ address }) => address).filter((address) => !/^fe[89ab]/i.test(address));
  return {
    names: [...new Set(names)],
    addresses: [...new Set(["127.0.0.1", "::1", ...addresses.map((address) => address.toLowerCase())])],
  };
}
