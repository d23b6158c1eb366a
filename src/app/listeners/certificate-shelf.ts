import type { Clock } from "#platform/lib/clock.ts";
import type { Random } from "#platform/lib/random.ts";
import type { Log } from "#platform/log/log.ts";
import { type Certificates, openCertificates } from "#platform/tls/certificates.ts";
import type { LoadedPair, TlsFiles } from "#platform/tls/material.ts";
import { ownNames } from "#platform/tls/own-names.ts";
import { renewSelfSigned, settleSelfSigned } from "#platform/tls/self-signed.ts";
import { type ListenerSpec, type SpecTls, textOf } from "./spec.ts";

const DAY_MS = 86_400_000;
/** The own certificate has been renewed by then; who brings one is to hear of it while he can still act. */
const WARNED_DAYS_BEFORE = 14;

interface Parts {
  /** Where the server's own certificate is. */
  readonly directory: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Some listener's certificates are others now. */
  readonly onChange: () => void;
}

interface Taken {
  /** The first listener that has them. */
  readonly spec: ListenerSpec;
  readonly certificates: Certificates;
}

/** The certificates of all listeners; those with the same files have the same. */
export class CertificateShelf implements Disposable {
  readonly #parts: Parts;
  readonly #byFiles = new Map<string, Taken>();
  #checkedMs: number;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#checkedMs = parts.clock.now();
  }

  /** The pairs of a listener that was taken; undefined without TLS. */
  of(tls: SpecTls): readonly LoadedPair[] | undefined {
    return this.#byFiles.get(keyOf(tls))?.certificates.current;
  }

  /** Of every certificate, what tells its public key. */
  publicKeys(): string[] {
    return [...this.#byFiles.values()].flatMap(({ certificates }) =>
      certificates.current.map(({ publicKey }) => publicKey),
    );
  }

  /** Reads what a listener needs, making the server's own certificate where it is missing. Throws StartError. */
  async take(spec: ListenerSpec): Promise<void> {
    const key = keyOf(spec.tls);
    if (spec.tls.kind === "off" || this.#byFiles.has(key)) return;
    const { log } = this.#parts;
    const opened = openCertificates(await this.#filesOf(spec.tls), {
      onChange: (pairs) => {
        this.#tell(spec, pairs);
        this.#parts.onChange();
      },
      onBroken: (reason) =>
        log.error({ listener: spec.name, detail: reason }, "a new certificate is refused; the old one stays"),
    });
    this.#byFiles.set(key, { spec, certificates: opened });
    this.#tell(spec, opened.current);
  }

  /** Lets go of everything that none of these uses. */
  keepFor(specs: readonly ListenerSpec[]): void {
    const used = new Set(specs.map(({ tls }) => keyOf(tls)));
    for (const [key, { certificates }] of this.#byFiles) {
      if (used.has(key)) continue;
      certificates[Symbol.dispose]();
      this.#byFiles.delete(key);
    }
  }

  /**
   * Reads every file anew, and once a day renews the server's own certificate and warns of those that end. Gives whether
   * that day has come.
   */
  async check(): Promise<boolean> {
    const { directory, clock, random, log } = this.#parts;
    // Also where the clock was set back.
    const isDaily = Math.abs(clock.now() - this.#checkedMs) >= DAY_MS;
    if (isDaily) this.#checkedMs = clock.now();
    if (isDaily && this.#byFiles.has(keyOf({ kind: "auto" })))
      await renewSelfSigned(directory, ownNames(), { clock, random }).catch((error: unknown) =>
        log.error({ detail: error instanceof Error ? error.message : "" }, "the certificate is not renewed"),
      );
    for (const { spec, certificates } of this.#byFiles.values()) {
      certificates.check();
      if (isDaily)
        this.#tell(
          spec,
          certificates.current.filter(({ expiresMs }) => this.#isEnding(expiresMs)),
        );
    }
    return isDaily;
  }

  [Symbol.dispose](): void {
    this.keepFor([]);
  }

  async #filesOf(tls: Exclude<SpecTls, { readonly kind: "off" }>): Promise<readonly TlsFiles[]> {
    if (tls.kind === "files") return tls.pairs;
    const { directory, clock, random } = this.#parts;
    return [await settleSelfSigned(directory, ownNames(), { clock, random })];
  }

  #tell({ name, targets }: ListenerSpec, pairs: readonly LoadedPair[]): void {
    const { log, clock } = this.#parts;
    for (const { fingerprint, expiresMs } of pairs) {
      const fields = {
        listener: name,
        address: targets.map(textOf).join(" "),
        detail: `SHA-256 ${fingerprint}`,
      };
      const until = new Date(expiresMs).toISOString();
      if (expiresMs <= clock.now()) log.warn(fields, `a listener's certificate has expired, on ${until}`);
      else if (this.#isEnding(expiresMs))
        log.warn(fields, `a listener's certificate is valid only until ${until}`);
      else log.info(fields, `a listener's certificate, valid until ${until}`);
    }
  }

  #isEnding(expiresMs: number): boolean {
    return expiresMs - this.#parts.clock.now() < WARNED_DAYS_BEFORE * DAY_MS;
  }
}

function keyOf(tls: SpecTls): string {
  return JSON.stringify(tls);
}
