import { execFile } from "node:child_process";
import { promisify } from "node:util";

export interface NetworkOptions {
  /** Addresses this network's own machine bears, beside loopback. */
  readonly addresses?: readonly string[];
  /** Files laid over the system's for the command alone: path -> the file to see there. */
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs Node with these arguments in a network of its own: nothing but loopback and a default route over the interface
 * `out`, on which every packet is counted and none arrives. Needs root and iproute2. Gives what it printed.
 */
export async function runInNetwork(
  nodeArguments: readonly string[],
  options: NetworkOptions = {},
): Promise<string> {
  const addresses = (options.addresses ?? []).map((address) => {
    return address.includes(":")
      ? `ip -6 addr add ${address}/128 dev lo nodad`
      : `ip addr add ${address}/32 dev lo`;
  });
  const files = Object.entries(options.files ?? {}).map(([path, seen]) => `mount --bind '${seen}' '${path}'`);
  const script = [
    "set -e",
    "ip link set lo up",
    "ip link add out type veth peer name nowhere",
    // No neighbour or router is asked for and no group joined, so that what is counted is what a program sent.
    "ip link set out arp off multicast off addrgenmode none",
    "ip link set nowhere arp off multicast off addrgenmode none",
    "ip link set nowhere up",
    "ip link set out up",
    "ip addr add 203.0.113.2/32 dev out",
    "ip -6 addr add 2001:db8:ffff::2/128 dev out nodad",
    "ip route add default dev out",
    "ip -6 route add default dev out",
    ...addresses,
    ...files,
    'exec "$@"',
  ].join("\n");
  const command = ["--net", "--mount", "--", "sh", "-c", script, "sh", process.execPath, ...nodeArguments];
  const env = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", HOME: "/nonexistent", ...options.env };
  const { stdout } = await promisify(execFile)("unshare", command, { env, maxBuffer: 64 * 1024 * 1024 });
  return stdout;
}
