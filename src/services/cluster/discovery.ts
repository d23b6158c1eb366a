import { systemErrorCode } from "#platform/config/bounded-text.ts";
import type { ListenAddress } from "#platform/egress/own-listeners.ts";
import type { Random } from "#platform/lib/random.ts";
import type { Log } from "#platform/log/log.ts";
import { type Link, localLinks } from "#platform/mdns/link.ts";
import type { Service } from "#platform/mdns/service.ts";

/** Under which members are found. */
export const MEMBER_SERVICE = "_claviger._tcp";
/** Nothing that tells one cluster from another, or says anything of a secret. */
const TXT = ["v=1"];
const LOOK_EVERY_MS = 500;
const HOST_BYTES = 4;
const WORDS = {
  announced: "this member can be found on the local network",
  ended: "this member is no longer told of on the local network",
};

export interface DiscoveryParts {
  readonly mode: "joining" | "on" | "off";
  readonly isMember: () => boolean;
  readonly isJoiningOpen: () => boolean;
  /** This node's. */
  readonly name: () => string;
  /** Where listeners with TLS let members in. */
  readonly places: () => readonly ListenAddress[];
  readonly random: Random;
  readonly log: Pick<Log, "info" | "warn">;
}

/**
 * Tells the local networks of this member while joining is open, or always, as `mode` says; only those where a listener
 * lets members in. Whether it has to is looked at twice a second, and it holds no socket where it has not.
 */
export function openDiscovery(parts: DiscoveryParts): AsyncDisposable {
  return new Discovery(parts);
}

/** A service and the link that it is told to. */
interface Announcement {
  readonly link: Link;
  readonly port: number;
  readonly addresses: readonly string[];
}

/** What there is to announce: on each link the first port by which one of its addresses is reached. */
export function announcements(
  places: readonly ListenAddress[],
  links: readonly Link[],
): readonly Announcement[] {
  return links.flatMap((link) => {
    const reaches = (place: ListenAddress) => link.addresses.filter((address) => listensAt(place, address));
    const port = places.find((place) => reaches(place).length > 0)?.port;
    if (port === undefined) return [];
    const here = places.filter((place) => place.port === port);
    const addresses = link.addresses.filter((address) => here.some((place) => listensAt(place, address)));
    return [{ link, port, addresses }];
  });
}

function listensAt(place: ListenAddress, address: string): boolean {
  return place.address === address || place.address === (address.includes(":") ? "::" : "0.0.0.0");
}

class Discovery implements AsyncDisposable {
  readonly #parts: DiscoveryParts;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #told = new Set<string>();
  #announced = "";
  #announcers: readonly AsyncDisposable[] = [];
  #change: Promise<void> = Promise.resolve();

  constructor(parts: DiscoveryParts) {
    this.#parts = parts;
    if (parts.mode !== "off") this.#timer = setInterval(() => this.#tryToLook(), LOOK_EVERY_MS).unref();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#replace([], "");
  }

  /** A machine whose networks cannot be listed serves all the same. */
  #tryToLook(): void {
    try {
      this.#look();
    } catch (error) {
      this.#warn(error);
    }
  }

  #look(): void {
    const { mode, isMember, isJoiningOpen, name, places } = this.#parts;
    const isOn = isMember() && (mode === "on" || isJoiningOpen());
    const found = isOn ? announcements(places(), localLinks()) : [];
    const instance = name();
    const text = found.length === 0 ? "" : JSON.stringify([instance, found]);
    if (text === this.#announced) return;
    const host = `claviger-${this.#parts.random.bytes(HOST_BYTES).toString("hex")}`;
    const services = found.map(({ link, ...reached }) => ({
      link,
      service: { type: MEMBER_SERVICE, instance: labelOf(instance), host, txt: TXT, ...reached },
    }));
    void this.#replace(services, text);
  }

  /** One after another: what was announced is taken back before anything else is said. */
  #replace(services: readonly { link: Link; service: Service }[], text: string): Promise<void> {
    const { random, log } = this.#parts;
    this.#announced = text;
    const change = async () => {
      if (this.#announcers.length > 0 || services.length > 0)
        log.info({}, services.length > 0 ? WORDS.announced : WORDS.ended);
      await Promise.all(this.#announcers.map((announcer) => announcer[Symbol.asyncDispose]()));
      const onTrouble = (error: Error) => this.#warn(error);
      this.#announcers = [];
      if (services.length === 0) return;
      // Only here: most servers never announce themselves.
      const { announce } = await import("#platform/mdns/announce.ts");
      this.#announcers = services.map(({ link, service }) => announce(service, link, { random, onTrouble }));
    };
    this.#change = this.#change.then(change).catch((error: unknown) => this.#warn(error));
    return this.#change;
  }

  /** Once for each thing that can go wrong: a network that is away would fill the log. */
  #warn(error: unknown): void {
    const code = systemErrorCode(error);
    if (this.#told.has(code)) return;
    this.#told.add(code);
    this.#parts.log.warn(
      { code, detail: error instanceof Error ? error.message : "" },
      "multicast DNS does not work as it should",
    );
  }
}

/** A name has dots, where a label ends. */
function labelOf(name: string): string {
  return name.replaceAll(".", "-").slice(0, 63);
}
