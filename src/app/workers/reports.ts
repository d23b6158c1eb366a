import type { Refusal } from "#gates/audit/index.ts";
import type { Clock } from "#platform/lib/clock.ts";
import type { LogSink } from "#platform/log/log.ts";
import type { FromWorker, TimedRefusal } from "./protocol.ts";

const REPORT_EVERY_MS = 100;
/** A flood of refused requests must not wait in memory for the next turn. */
const MOST_REFUSALS = 500;
const MOST_LOG_CHARACTERS = 64 * 1024;

type Report = Extract<FromWorker, { readonly kind: "report" }>;

/** What a worker has to tell the main thread, kept together for a moment: a message of its own for each costs more. */
export class Reports implements LogSink {
  readonly #clock: Clock;
  readonly #send: (report: Report) => void;
  readonly #takeHealth: () => Report["health"];
  readonly #takeUsage: () => Report["usage"];
  #log: string[] = [];
  #logCharacters = 0;
  #refusals: TimedRefusal[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(parts: {
    readonly clock: Clock;
    readonly send: (report: Report) => void;
    /** How the upstreams fared since it was last asked. */
    readonly takeHealth: () => Report["health"];
    /** What was used since it was last asked, where somebody wants to know. */
    readonly takeUsage: () => Report["usage"];
  }) {
    this.#clock = parts.clock;
    this.#send = parts.send;
    this.#takeHealth = parts.takeHealth;
    this.#takeUsage = parts.takeUsage;
    this.#timer = setInterval(() => this.flush(), REPORT_EVERY_MS).unref();
  }

  write(lines: string): void {
    this.#log.push(lines);
    this.#logCharacters += lines.length;
    if (this.#logCharacters >= MOST_LOG_CHARACTERS) this.flush();
  }

  refusal(refusal: Refusal): void {
    this.#refusals.push({ refusal, atMs: this.#clock.now() });
    if (this.#refusals.length >= MOST_REFUSALS) this.flush();
  }

  flush(): void {
    const [health, usage] = [this.#takeHealth(), this.#takeUsage()];
    const [log, refusals] = [this.#log.join(""), this.#refusals];
    const noted = [log, refusals, health, usage];
    if (noted.every(({ length }) => length === 0)) return;
    this.#log = [];
    this.#logCharacters = 0;
    this.#refusals = [];
    this.#send({ kind: "report", log, refusals, health, usage });
  }

  close(): void {
    clearInterval(this.#timer);
    this.flush();
  }
}
