import type { Answers, HeardPacket } from "./link-socket.ts";
import { typeName } from "./service.ts";

const MOST_FOUND = 64;
/** One who fills the list is not to hide the others. */
const MOST_OF_ONE = 8;
const MOST_ADDRESSES = 4;
const LONGEST_NAME = 63;

/** A service that somebody on a link said there is: a stranger's word. */
export interface FoundService {
  /** Of at most 63 characters, all of which can be shown. */
  readonly instance: string;
  /** `LABEL.local`, in lower case. */
  readonly host: string;
  readonly port: number;
  /** Of its host, those on a link of this machine, at most 4. */
  readonly addresses: readonly string[];
}

/** The services of one type in what was heard so far. A packet counts for itself alone, for a responder says all in one. */
export class HeardServices {
  readonly #suffix: string;
  readonly #isNear: (address: string) => boolean;
  readonly #found = new Map<string, { readonly from: string; readonly service: FoundService }>();

  constructor(type: string, isNear: (address: string) => boolean) {
    this.#suffix = `.${typeName(type)}`.toLowerCase();
    this.#isNear = isNear;
  }

  /** Takes what `from` said: new services, and those that end. */
  take(packet: HeardPacket, from: string): void {
    const records = [...(packet.answers ?? []), ...(packet.additionals ?? [])];
    for (const record of records) {
      if (record.type !== "SRV" || !record.name.toLowerCase().endsWith(this.#suffix)) continue;
      const host = record.data.target.toLowerCase();
      const key = JSON.stringify([from, record.name, host]);
      if (record.ttl === 0) this.#found.delete(key);
      else if (isHost(host) && isPort(record.data.port) && this.#hasRoom(key, from))
        this.#found.set(key, {
          from,
          service: {
            instance: shown(record.name.slice(0, -this.#suffix.length)),
            host,
            port: record.data.port,
            addresses: this.#addressesOf(host, records),
          },
        });
    }
  }

  /** By name. */
  list(): readonly FoundService[] {
    return [...this.#found.values()]
      .map(({ service }) => service)
      .toSorted((a, b) => (a.instance < b.instance ? -1 : 1));
  }

  #hasRoom(key: string, from: string): boolean {
    if (this.#found.has(key)) return true;
    const ofOne = [...this.#found.values()].filter((found) => found.from === from);
    return this.#found.size < MOST_FOUND && ofOne.length < MOST_OF_ONE;
  }

  #addressesOf(host: string, records: Answers): readonly string[] {
    const told = records.flatMap((record) =>
      (record.type === "A" || record.type === "AAAA") && record.name.toLowerCase() === host
        ? [record.data]
        : [],
    );
    return [...new Set(told)].filter((address) => this.#isNear(address)).slice(0, MOST_ADDRESSES);
  }
}

function isHost(name: string): boolean {
  return /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.local$/.test(name);
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port > 0 && port <= 65535;
}

/** What could act on a terminal, hide or turn text around is replaced. */
function shown(name: string): string {
  return [...name.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, "\ufffd")].slice(0, LONGEST_NAME).join("");
}
