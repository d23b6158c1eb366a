import { isIP } from "node:net";
import { AppError } from "#platform/lib/error.ts";
import { formatIp, parseIp } from "../lib/ip-address.ts";
import { judgeAddress } from "./address-policy.ts";
import { hostOf, judgeHost, portOf } from "./host-policy.ts";
import type { ResolveName } from "./name-resolver.ts";
import { judgeOwnListener, type ListenAddress } from "./own-listeners.ts";
import { judgeUrl } from "./url-policy.ts";
import { ALLOWED, type Denial, denialError, type Verdict } from "./verdict.ts";

/** Decides where this server may connect; the same decision serves a URL being saved and a connection being made. */
export interface Guard {
  /**
   * The addresses at which a host may be dialled, checked, at least one, in the order in which to try them. Throws
   * AppError `egress_denied`, or `upstream_unreachable` when the name does not resolve.
   */
  targets(host: string, port: number): Promise<readonly string[]>;
  /** Judges a URL, resolving its name. A name that does not resolve now is allowed: it is judged when it is dialled. */
  verdict(url: string | URL): Promise<Verdict>;
}

export interface GuardParts {
  readonly resolveName: ResolveName;
  readonly ownListeners: () => readonly ListenAddress[];
  readonly localAddresses: () => readonly string[];
}

export function createGuard(parts: GuardParts): Guard {
  return {
    async targets(host, port) {
      const { addresses, denial } = await judgeTarget(parts, host, port);
      if (denial !== undefined) throw denialError(denial);
      return addresses;
    },
    async verdict(url) {
      const verdict = judgeUrl(url);
      if (!verdict.allowed) return verdict;
      const { hostname, port, protocol } = new URL(url);
      return judgeTarget(parts, hostname, portOf(protocol, port)).then(
        ({ denial }) => denial ?? ALLOWED,
        (error: unknown) => {
          if (error instanceof AppError && error.code === "upstream_unreachable") return ALLOWED;
          throw error;
        },
      );
    },
  };
}

/**
 * One denied answer denies the name: a name that points at a good and a bad address lets whoever answers for it
 * choose by which of them is reached first, and the verdict would change from one connect to the next.
 */
async function judgeTarget(
  parts: GuardParts,
  host: string,
  port: number,
): Promise<{ addresses: readonly string[]; denial: Denial | undefined }> {
  const name = hostOf(host);
  const named = judgeHost(name);
  if (!named.allowed) return { addresses: [], denial: named };
  const found = isIP(name) === 0 ? await parts.resolveName(name) : [name];
  for (const address of found) {
    const verdict = judgeAddress(address);
    if (!verdict.allowed) return { addresses: [], denial: verdict };
  }
  // Dialled is what the check has read, written out again, and no other reading of the same text.
  const addresses = found.flatMap((address) => {
    const bytes = parseIp(address);
    return bytes === undefined ? [] : [formatIp(bytes)];
  });
  for (const address of addresses) {
    const own = judgeOwnListener({ address, port }, parts.ownListeners(), parts.localAddresses);
    if (!own.allowed) return { addresses: [], denial: own };
  }
  return { addresses: alternate(addresses), denial: undefined };
}

/** The families in turn, so that one without a way out costs one step only (RFC 8305 section 4). */
function alternate(addresses: readonly string[]): readonly string[] {
  const first = addresses.filter((address) => isIP(address) === isIP(addresses[0] ?? ""));
  const second = addresses.filter((address) => isIP(address) !== isIP(addresses[0] ?? ""));
  const turns = Array.from({ length: addresses.length }, (_, turn) => [first[turn], second[turn]]);
  return turns.flat().filter((address) => address !== undefined);
}
