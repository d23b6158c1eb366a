import { setTimeout as pause } from "node:timers/promises";
import { type FoundService, HeardServices } from "./heard.ts";
import type { Link } from "./link.ts";
import { openLinkSocket } from "./link-socket.ts";
import { typeName } from "./service.ts";

/** RFC 6762, 5.2: the second question comes a second after the first. */
const ASK_AGAIN_MS = 1000;
const ANSWERS_PER_SECOND = 200;

/**
 * Asks on these links for services of a type, as `_http._tcp`, and gives what was heard within `forMs`. What fails is told
 * to `onTrouble`.
 */
export async function browse(
  type: string,
  links: readonly Link[],
  { forMs, onTrouble }: { readonly forMs: number; readonly onTrouble: (error: Error) => void },
): Promise<readonly FoundService[]> {
  const isNear = (address: string) => links.some(({ ranges }) => ranges.holds(address));
  const heard = new HeardServices(type, isNear);
  await using opened = new AsyncDisposableStack();
  const sockets = links.map((link) =>
    opened.use(
      openLinkSocket(link, {
        hears: "answers",
        packetsPerSecond: ANSWERS_PER_SECOND,
        onPacket: (packet, from) => heard.take(packet, from),
        onTrouble,
      }),
    ),
  );
  const ask = () => Promise.all(sockets.map((socket) => socket.ask([{ type: "PTR", name: typeName(type) }])));
  await ask();
  await pause(ASK_AGAIN_MS);
  await ask();
  await pause(forMs - ASK_AGAIN_MS);
  return heard.list();
}
