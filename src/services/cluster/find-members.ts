import { formatListen } from "#platform/config/listen.ts";
import type { FoundService } from "#platform/mdns/heard.ts";
import { MEMBER_SERVICE } from "./discovery.ts";

const LISTEN_MS = 3000;

/** A member that said it is there: `name` can be shown, `url` is https. */
export type FoundMember = Readonly<Record<"name" | "url", string>>;

/**
 * The members that are heard on this machine's networks within 3 seconds; `silent` says why nothing could be heard at all.
 */
export async function findMembers(): Promise<{
  readonly found: readonly FoundMember[];
  readonly silent: string | undefined;
}> {
  // Only here: what hears the network is loaded by nothing else.
  const { browse } = await import("#platform/mdns/browse.ts");
  const { localLinks } = await import("#platform/mdns/link.ts");
  const links = localLinks();
  if (links.length === 0) return { found: [], silent: "this machine is on no network" };
  const troubles: Error[] = [];
  const onTrouble = (error: Error) => void troubles.push(error);
  const found = await browse(MEMBER_SERVICE, links, { forMs: LISTEN_MS, onTrouble });
  return { found: found.map(memberOf), silent: found.length > 0 ? undefined : troubles[0]?.message };
}

function memberOf({ instance, host, port, addresses: [first] }: FoundService): FoundMember {
  return { name: instance, url: `https://${formatListen({ host: first ?? host, port })}` };
}
