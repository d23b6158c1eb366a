import { hostName, isLoopbackAddress, isLoopbackName } from "./host.ts";
import type { Caller, Entry, ListenerPolicy, Service } from "./ports.ts";
import type { RequestHead } from "./request-head.ts";

/** Whether someone whose credential is right may come in here. */
export function mayEnter(entry: Entry, caller: Caller): boolean {
  if (entry.kind === "open") return true;
  switch (caller.kind) {
    case "identity":
      return entry.identities.has(caller.resource);
    case "key":
      return entry.keys;
    case "user":
      return entry.users;
    case "member":
    case "node":
      return entry.cluster;
    case "local":
    case "anonymous":
      return false;
    default:
      return caller satisfies never;
  }
}

/** Whether other nodes of the cluster come in here: what they prove is bound to the TLS connection. */
export function letsNodesIn({ secure, entry }: ListenerPolicy): boolean {
  return secure && entry.kind === "listed" && entry.cluster;
}

interface Coming {
  readonly head: RequestHead;
  readonly address: string | null;
  readonly service: Service | "probe";
  /** Whether a credential came, wherever it stood. */
  readonly presents: boolean;
}

/** Who someone without a credential is here; undefined where he may not come in, and for who presents one. */
export function anonymousAt(
  { entry }: ListenerPolicy,
  { head, address, service, presents }: Coming,
): Caller | undefined {
  const { kind, anonymous } = entry;
  if (anonymous === undefined || (kind === "listed" && service !== "gateway") || presents) return undefined;
  return anonymous.from === "anywhere" || isLocal(head, address) ? anonymous.caller : undefined;
}

/** Local means: a loopback peer, no forwarding header, a loopback Host. */
export function isLocal(head: RequestHead, address: string | null): boolean {
  if (head.forwarded || address === null) return false;
  const name = hostName(head.host ?? "");
  return isLoopbackAddress(address) && name !== undefined && isLoopbackName(name);
}
