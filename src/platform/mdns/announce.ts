import type { Random } from "../lib/random.ts";
import type { Link } from "./link.ts";
import { type LinkSocket, openLinkSocket } from "./link-socket.ts";
import { isAsked, recordsOf, type Service } from "./service.ts";

/** RFC 6762, 6: no record is sent again within a second; answers wait 20 to 120 ms, as others may answer too. */
const APART_MS = 1000;
const WAIT_MS = 20;
const JITTER_MS = 101;
const QUESTIONS_PER_SECOND = 50;

interface AnnouncerParts {
  readonly random: Random;
  readonly onTrouble: (error: Error) => void;
}

/**
 * Tells a link of a service, twice, and whoever asks there; at its end takes it back (RFC 6762, 8.3, 6 and 10.1). Its
 * records are shared ones, so nobody is asked before whether the names are free: the host's is to be one of chance.
 */
export function announce(service: Service, link: Link, parts: AnnouncerParts): AsyncDisposable {
  return new Announcer(service, link, parts);
}

class Announcer implements AsyncDisposable {
  readonly #service: Service;
  readonly #parts: AnnouncerParts;
  readonly #socket: LinkSocket;
  #due: NodeJS.Timeout | undefined;
  #saidMs = Number.NEGATIVE_INFINITY;

  constructor(service: Service, link: Link, parts: AnnouncerParts) {
    this.#service = service;
    this.#parts = parts;
    this.#socket = openLinkSocket(link, {
      hears: "questions",
      packetsPerSecond: QUESTIONS_PER_SECOND,
      onPacket: (packet) => {
        if (isAsked(service, packet)) this.#saySoon();
      },
      onTrouble: parts.onTrouble,
    });
    this.#say();
    this.#saySoon();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#due);
    await this.#socket.answer(recordsOf(this.#service, { gone: true }));
    await this.#socket[Symbol.asyncDispose]();
  }

  /** One answer is for all who asked before it. */
  #saySoon(): void {
    const [chance = 0] = this.#parts.random.bytes(1);
    const waitMs = WAIT_MS + (chance % JITTER_MS);
    const sinceMs = performance.now() - this.#saidMs;
    this.#due ??= setTimeout(() => this.#say(), Math.max(waitMs, APART_MS - sinceMs));
  }

  #say(): void {
    this.#due = undefined;
    this.#saidMs = performance.now();
    void this.#socket.answer(recordsOf(this.#service));
  }
}
