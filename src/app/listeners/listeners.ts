import type { ListenerPolicy } from "#platform/http/ports.ts";
import type { Clock } from "#platform/lib/clock.ts";
import { Turn } from "#platform/threads/turn.ts";
import { SESSION_TICKET_KEY_BYTES, type TlsMaterial } from "#platform/tls/material.ts";
import { namesWithDomain } from "#platform/tls/own-names.ts";
import { Addresses, type AddressParts, mustYield, type WantedAddress } from "./addresses.ts";
import { CertificateShelf } from "./certificate-shelf.ts";
import type { ListenerInForce } from "./shown-listeners.ts";
import { checkSpecs, type ListenerSpec, policyOf, textOf } from "./spec.ts";

const CHECK_CERTIFICATES_EVERY_MS = 60_000;

export interface ListenersParts extends AddressParts {
  readonly clock: Clock;
  /** Where the server's own certificate is, or is made. */
  readonly certificateDirectory: string;
  /** At first: nobody comes in without a credential, whatever a listener says. */
  readonly requireApiKey: boolean;
  readonly drainMs: number;
}

/** Where the server listens, as one thing that changes as a whole. */
export class Listeners {
  readonly #parts: ListenersParts;
  readonly #addresses: Addresses;
  readonly #shelf: CertificateShelf;
  readonly #turn = new Turn();
  readonly #timer: NodeJS.Timeout;
  #started: Promise<void> | undefined;
  #specs: readonly ListenerSpec[] = [];
  #ticketKeys: Uint8Array;
  #requireApiKey: boolean;

  constructor(parts: ListenersParts) {
    this.#parts = parts;
    this.#addresses = new Addresses(parts);
    this.#requireApiKey = parts.requireApiKey;
    this.#ticketKeys = parts.random.bytes(SESSION_TICKET_KEY_BYTES);
    this.#shelf = new CertificateShelf({
      ...parts,
      directory: parts.certificateDirectory,
      onChange: () => void this.#adjustAll(),
    });
    this.#timer = setInterval(() => void this.checkCertificates(), CHECK_CERTIFICATES_EVERY_MS).unref();
  }

  /** What is open now. */
  get specs(): readonly ListenerSpec[] {
    return this.#specs;
  }

  /** Where programs reach it over TCP. */
  urls(): readonly string[] {
    return this.#addresses
      .all()
      .filter(({ listener }) => "port" in listener.target)
      .map(({ listener }) => listener.url);
  }

  /** Those of the listeners with TLS where members of the cluster come in. */
  memberUrls(): readonly string[] {
    return this.#addresses
      .all()
      .filter(({ wanted: { policy, target } }) => {
        const { entry, secure } = policy;
        return secure && "port" in target && entry.kind === "listed" && entry.cluster;
      })
      .map(({ listener }) => listener.url);
  }

  /** Each with what is open of it, and the certificates it shows. */
  inForce(): readonly ListenerInForce[] {
    const open = this.#addresses.all();
    return this.#specs.map((spec) => ({
      spec,
      open: open.filter(({ wanted }) => wanted.policy.name === spec.name),
      pairs: this.#shelf.of(spec.tls) ?? [],
    }));
  }

  /** SHA-256 of the public keys of its certificates (SPKI, DER), base64url. */
  publicKeys(): readonly string[] {
    return this.#shelf.publicKeys();
  }

  /** The policy of a request that came in by another thread. */
  policyOf(listener: string): ListenerPolicy | undefined {
    return this.#addresses.policyOf(listener);
  }

  /**
   * Opens what is new, gives what stays its policy, which holds from the next request on, and closes what is gone: there
   * running requests may end within the drain time. `commit` is called when nothing but itself can fail any more. All or
   * none: throws what it throws, and StartError when something cannot be opened, and everything is as it was.
   */
  async apply(
    specs: readonly ListenerSpec[],
    {
      requireApiKey = this.#requireApiKey,
      commit = async () => {},
    }: { readonly requireApiKey?: boolean; readonly commit?: () => Promise<void> } = {},
  ): Promise<void> {
    const done = await this.#turn.take();
    try {
      await this.#apply(specs, requireApiKey, commit);
    } finally {
      done();
    }
  }

  /** Looks for other certificates now, and for a day that has come; else done once a minute. */
  async checkCertificates(): Promise<void> {
    const isDaily = await this.#shelf.check();
    if (!isDaily) return;
    // What was recorded of old sessions is not opened by the key of today.
    this.#ticketKeys = this.#parts.random.bytes(SESSION_TICKET_KEY_BYTES);
    await this.#adjustAll();
  }

  /** Settles when what ran in this thread has ended, or `drainMs` is over. */
  async close(drainMs: number): Promise<void> {
    clearInterval(this.#timer);
    const done = await this.#turn.take();
    this.#shelf[Symbol.dispose]();
    await this.#addresses.end(drainMs).finally(done);
  }

  async #apply(
    specs: readonly ListenerSpec[],
    requireApiKey: boolean,
    commit: () => Promise<void>,
  ): Promise<void> {
    checkSpecs(specs, requireApiKey);
    await using undo = new AsyncDisposableStack();
    undo.defer(() => this.#shelf.keepFor(this.#specs));
    for (const spec of specs) await this.#shelf.take(spec);
    const wanted = this.#wantedBy(specs, requireApiKey);
    await this.#openNew(wanted, undo);
    await commit();
    // From here on nothing can fail.
    undo.move();
    this.#specs = specs;
    this.#requireApiKey = requireApiKey;
    const keys = new Set(wanted.map(({ key }) => key));
    const gone = this.#addresses.all().filter((open) => !keys.has(open.wanted.key));
    await Promise.all([
      ...wanted.map((address) => this.#addresses.adjust(address)),
      ...gone.map((open) => this.#addresses.close(open.wanted.key, this.#parts.drainMs)),
    ]);
    this.#shelf.keepFor(specs);
    this.#tell();
  }

  async #openNew(wanted: readonly WantedAddress[], undo: AsyncDisposableStack): Promise<void> {
    const fresh = wanted.filter(
      (address) => this.#addresses.get(address.key)?.policy.secure !== address.policy.secure,
    );
    for (const { wanted: old } of this.#addresses.all()) {
      if (!mustYield(old, wanted, fresh)) continue;
      await this.#addresses.close(old.key, this.#parts.drainMs);
      undo.defer(async () => {
        await this.#addresses.claim(old);
        await this.#addresses.open(old);
      });
    }
    // Whoever has an address already is known before threads are started for nothing.
    for (const address of fresh) {
      await this.#addresses.claim(address);
      undo.defer(() => this.#addresses.release(address.key));
    }
    this.#started ??= this.#parts.workers.start();
    await this.#started;
    for (const address of fresh) {
      await this.#addresses.open(address);
      undo.defer(() => this.#addresses.close(address.key, 0));
    }
  }

  #wantedBy(specs: readonly ListenerSpec[], requireApiKey: boolean): WantedAddress[] {
    const machine = namesWithDomain();
    return specs.flatMap((spec) => {
      const pairs = this.#shelf.of(spec.tls);
      const ownNames = [...(pairs?.flatMap(({ names }) => names) ?? []), ...machine];
      const tls: TlsMaterial | undefined = pairs && { pairs, ticketKeys: this.#ticketKeys };
      return spec.targets.map((target, index) => ({
        // What the system chooses is known by its place.
        key:
          "port" in target && target.port === 0 ? `${spec.name}#${index} ${textOf(target)}` : textOf(target),
        target,
        tls,
        policy: policyOf(spec, target, { ownNames, requireApiKey }),
      }));
    });
  }

  async #adjustAll(): Promise<void> {
    const done = await this.#turn.take();
    await Promise.all(
      this.#wantedBy(this.#specs, this.#requireApiKey).map((address) => this.#addresses.adjust(address)),
    );
    this.#tell();
    done();
  }

  /** Metrics, the other threads and the log hear where and how it listens now. */
  #tell(): void {
    const { metrics, workers, log } = this.#parts;
    const specs = new Map(this.#specs.map((spec) => [spec.name, spec]));
    metrics.listening(
      this.#addresses.all().map(({ wanted: { policy } }) => ({
        name: policy.name,
        anonymous: policy.entry.kind === "listed" && policy.entry.anonymous !== undefined,
        authOff: policy.entry.kind === "open",
        certificateExpiresMs: this.#expiresMs(specs.get(policy.name)),
      })),
    );
    workers.tell({ kind: "urls", urls: this.urls() });
    for (const { name, entry } of this.#specs)
      if (entry.kind === "open")
        log.warn(
          { listener: name },
          "authentication is off on this listener: anyone who reaches it may use it",
        );
  }

  #expiresMs(spec: ListenerSpec | undefined): number | undefined {
    const pairs = spec && this.#shelf.of(spec.tls);
    return pairs && Math.min(...pairs.map(({ expiresMs }) => expiresMs));
  }
}
