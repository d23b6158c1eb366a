import { BlockList, isIP } from "node:net";

/** An address to listen on. `host` is an IP address without brackets; port 0 lets the system choose. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** Of plain HTTP. */
export const DEFAULT_PORT = 8441;

/** Plain HTTP on loopback only, both families. */
export const DEFAULT_LISTEN: readonly ListenAddress[] = [
  { host: "127.0.0.1", port: DEFAULT_PORT },
  { host: "::1", port: DEFAULT_PORT },
];

export type ParsedListen =
  | { readonly ok: true; readonly addresses: readonly ListenAddress[] }
  | { readonly ok: false; readonly message: string };

/**
 * One `--listen`: `127.0.0.1:8441`, `[::1]:8441`, or `localhost:8441` for both. Other names are refused, since what
 * they resolve to may change; so is plain HTTP beyond loopback unless `allowPlainHttp`.
 */
export function parseListen(text: string, { allowPlainHttp }: { allowPlainHttp: boolean }): ParsedListen {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2] ?? "";
  const family = isIP(host);
  const bracketed = match?.[1] !== undefined;
  const named = host.toLowerCase() === "localhost" && !bracketed;
  if (!match || port > 65535 || !(named || family === (bracketed ? 6 : 4))) {
    return {
      ok: false,
      message: `--listen takes ADDRESS:PORT, as 127.0.0.1:8441, [::1]:8441 or localhost:8441`,
    };
  }
  if (named) return { ok: true, addresses: DEFAULT_LISTEN.map((address) => ({ ...address, port })) };
  if (!allowPlainHttp && !isLoopback(host)) {
    return {
      ok: false,
      message:
        `--listen ${text} would serve plain HTTP beyond this machine; listen on 127.0.0.1 or [::1] behind a proxy ` +
        "that speaks TLS, or write allow_plain_http: true under settings: in claviger.yaml",
    };
  }
  return { ok: true, addresses: [{ host, port }] };
}

/** Whether an IP address (v4, v6, v4 within v6) reaches this machine only. */
export function isLoopback(host: string): boolean {
  const family = isIP(host);
  if (family === 0 || host.includes("%")) return false;
  return LOOPBACK.check(host, family === 4 ? "ipv4" : "ipv6");
}

/** The address as it stands in a URL or after `--listen`. */
export function formatListen({ host, port }: ListenAddress): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");
