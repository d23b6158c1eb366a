import { createSocket, type RemoteInfo } from "node:dgram";
import multicastDns from "multicast-dns";
import type { Link } from "./link.ts";

/** RFC 6762, 3: the port of everybody who takes part in full. */
const PORT = 5353;
const GROUP = "224.0.0.251";
const HEADER_BYTES = 12;
/** RFC 6762, 17: no packet is larger. */
const LONGEST_PACKET_BYTES = 9000;
const MOST_ENTRIES = 256;
const ANSWER_BIT = 0x80;

type Questions = multicastDns.QueryOutgoingPacket["questions"];
export type Answers = multicastDns.ResponseOutgoingPacket["answers"];
/** What somebody on the link said. */
export interface HeardPacket {
  readonly questions?: Questions | undefined;
  readonly answers?: Answers | undefined;
  readonly additionals?: Answers | undefined;
}

/** Multicast DNS on one link (RFC 6762), over IPv4. What fails is told to `onTrouble`, and nothing throws. */
export interface LinkSocket extends AsyncDisposable {
  /** Settles when it was sent, or was not. */
  ask(questions: Questions): Promise<void>;
  answer(answers: Answers): Promise<void>;
}

interface LinkSocketParts {
  /** What alone is read: the rest costs nothing. */
  readonly hears: "questions" | "answers";
  /** So many packets are read of what comes in within a second. */
  readonly packetsPerSecond: number;
  readonly onPacket: (packet: HeardPacket, from: string) => void;
  readonly onTrouble: (error: Error) => void;
}

/** Binds port 5353, which it shares with others, and joins the group on this link. */
export function openLinkSocket(link: Link, parts: LinkSocketParts): LinkSocket {
  const { onPacket, onTrouble } = parts;
  const socket = createSocket({ type: "udp4", reuseAddr: true });
  const mdns = multicastDns({ socket, interface: link.address, bind: "0.0.0.0", ip: GROUP, port: PORT });
  // What others send that cannot be read is no trouble of ours.
  const tell = (error: Error) => {
    if ("syscall" in error) onTrouble(error);
  };
  mdns.on("error", tell);
  mdns.on("warning", tell);
  mdns.on(parts.hears === "questions" ? "query" : "response", (packet: HeardPacket, from: RemoteInfo) =>
    onPacket(packet, from.address),
  );
  // Judged before it is read: whoever is on the link could have this thread read all day.
  const [read] = socket.listeners("message");
  socket.removeAllListeners("message");
  const admits = admission(link, parts);
  socket.on("message", (bytes: Buffer, from: RemoteInfo) => {
    if (admits(bytes, from)) read?.call(socket, bytes, from);
  });
  const sent = (send: (done: (error: Error | null) => void) => void) =>
    new Promise<void>((resolve) => {
      send((error) => {
        if (error) onTrouble(error);
        resolve();
      });
    });
  return {
    ask: (questions) => sent((done) => mdns.query(questions, done)),
    answer: (answers) => sent((done) => mdns.respond(answers, done)),
    [Symbol.asyncDispose]: () => new Promise((resolve) => mdns.destroy(resolve)),
  };
}

function admission(
  link: Link,
  { hears, packetsPerSecond }: LinkSocketParts,
): (bytes: Buffer, from: RemoteInfo) => boolean {
  let second = 0;
  let count = 0;
  return (bytes, from) => {
    // Another port is a resolver that wants its answer sent to itself: to an address that anybody can write there.
    if (from.port !== PORT || !link.ranges.holds(from.address)) return false;
    if (bytes.length < HEADER_BYTES || bytes.length > LONGEST_PACKET_BYTES) return false;
    if (((bytes.readUInt8(2) & ANSWER_BIT) !== 0) !== (hears === "answers")) return false;
    const entries = [4, 6, 8, 10].reduce((sum, at) => sum + bytes.readUInt16BE(at), 0);
    if (entries > MOST_ENTRIES) return false;
    const now = Math.floor(performance.now() / 1000);
    if (now !== second) [second, count] = [now, 0];
    count += 1;
    return count <= packetsPerSecond;
  };
}
