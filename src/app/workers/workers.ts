import { Worker } from "node:worker_threads";
import type { AuditRecorder } from "#gates/audit/index.ts";
import type { Secret } from "#platform/lib/secret.ts";
import type { Log, LogSink } from "#platform/log/log.ts";
import type { Metrics, ThreadCounts } from "#platform/log/metrics/metrics.ts";
import { ThreadCalls } from "#platform/threads/thread-calls.ts";
import type { Provider } from "#services/gateway/index.ts";
import type { OpenedCredential } from "#vault/credentials/index.ts";
import type { UsageSums } from "../usage-sums.ts";
import {
  type DeclaredForWorkers,
  type FromWorker,
  type FromWorkerReply,
  listenerKey,
  type TcpTarget,
  type ToWorker,
  type ToWorkerReply,
  toCredentialRecord,
  toProviderRecord,
  type WorkerListener,
  type WorkerStart,
} from "./protocol.ts";
import { LastCounts } from "./thread-counts.ts";

/** How long a change, a list or a scrape waits for a thread that does not answer. */
const ANSWER_WITHIN_MS = 1000;
/** How much longer than the running requests a thread may take to stop before it is ended. */
const STOP_WITHIN_MS = 2000;
/** A thread that ends again soon after its start is started anew after a pause, twice as long each time. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;
const STEADY_AFTER_MS = 30_000;

/** The program of a worker thread, and what it is to be given beside a WorkerStart. */
export interface WorkerProgram {
  readonly entry: URL;
  readonly data?: unknown;
}

interface Parts {
  /** How many threads beside the main one. */
  readonly count: number;
  readonly program: WorkerProgram;
  readonly log: Log;
  readonly sink: LogSink;
  readonly metrics: Metrics;
  /** What is the same for every thread and every start of one. */
  readonly startOf: () => Promise<Omit<WorkerStart, "thread" | "providers">>;
  /** A thread ended by itself: what it held for its requests is to be given up. */
  readonly onLost: (thread: number) => void;
}

/** What the workers ask of the main thread. */
export interface Served {
  readonly audit: AuditRecorder;
  readonly providers: { ordered(): readonly Provider[] };
  readonly credentials: {
    open(providerId: string): Promise<readonly OpenedCredential[]>;
    coolUntil(credentialId: string, untilMs: number): void;
  };
  readonly modelsOf: (providerId: string) => Promise<readonly string[]>;
  readonly usage: Pick<UsageSums, "absorb">;
}

interface Running {
  readonly thread: number;
  readonly worker: Worker;
  readonly calls: ThreadCalls<ToWorker, FromWorkerReply, FromWorker, ToWorkerReply>;
  readonly startedMs: number;
  /** Whether it has started, and listens where the others do. */
  serving: boolean;
}

/** The worker threads as the main thread has them: started, told, asked, started anew when one ends by itself. */
export class Workers implements AsyncDisposable {
  readonly #parts: Parts;
  readonly #running = new Map<number, Running>();
  readonly #listening = new Map<string, WorkerListener>();
  readonly #pauses = new Map<number, number>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #counts = new LastCounts();
  #served: Served | undefined;
  #stopping = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  get count(): number {
    return this.#parts.count;
  }

  /** What they may ask for, from now on. */
  serve(served: Served): void {
    this.#served = served;
  }

  /** Starts them all. Throws what one of them throws. */
  async start(): Promise<void> {
    const threads = Array.from({ length: this.#parts.count }, (_, index) => index + 1);
    await Promise.all(threads.map((thread) => this.#spawn(thread)));
  }

  /** Has every one of them listen, or throws. */
  async listen(listener: WorkerListener): Promise<void> {
    this.#listening.set(listenerKey(listener.target), listener);
    await Promise.all(this.#ask({ kind: "listen", ...listener }, "done"));
  }

  /** Gives an open listener its policy and certificates; settles when every thread has them. */
  async listenAs(listener: WorkerListener): Promise<void> {
    this.#listening.set(listenerKey(listener.target), listener);
    await within(ANSWER_WITHIN_MS, this.#ask({ kind: "listen-as", ...listener }, "done"));
  }

  /** Has them stop accepting there; settles when none does. What runs may end within `drainMs`. */
  async unlisten(target: TcpTarget, drainMs: number): Promise<void> {
    this.#listening.delete(listenerKey(target));
    await within(ANSWER_WITHIN_MS, this.#ask({ kind: "unlisten", target, drainMs }, "done"));
  }

  tell(message: ToWorker): void {
    for (const { calls } of this.#running.values()) calls.tell(message);
  }

  /** A provider was made, changed or removed; settles when every thread knows. */
  async changed(providerId: string): Promise<void> {
    const providers = this.#providers();
    await within(ANSWER_WITHIN_MS, this.#ask({ kind: "providers", providers, changed: providerId }, "done"));
  }

  /** Settles when every thread judges by what the configuration file declares now. */
  async declared(declared: DeclaredForWorkers): Promise<void> {
    await within(ANSWER_WITHIN_MS, this.#ask({ kind: "declared", ...declared }, "done"));
  }

  /** Settles when every thread judges keys by this secret. */
  async apiKeySecret(secret: Secret): Promise<void> {
    const message = { kind: "api-key-secret", secret: secret.expose() } as const;
    await within(ANSWER_WITHIN_MS, this.#ask(message, "done"));
  }

  /** Settles when every thread has dropped what it held before the lock, and may serve again. */
  async unlocked(): Promise<void> {
    await within(ANSWER_WITHIN_MS, this.#ask({ kind: "unlocked" }, "done"));
  }

  /** Settles when everything they noted so far is written, or told here. */
  async settle(): Promise<void> {
    await within(ANSWER_WITHIN_MS, this.#ask({ kind: "settle" }, "done"));
  }

  /** What all of them counted, those that ended by themselves too. */
  async counts(): Promise<ThreadCounts[]> {
    const told = [...this.#running.values()].map(async (running) => {
      const { counts } = await running.calls.ask({ kind: "counts" }, "counts");
      // An answer that came in together with the thread's end is known only after it, when its counts are kept already.
      if (this.#running.get(running.thread) === running) this.#counts.told(running.thread, counts);
    });
    await within(ANSWER_WITHIN_MS, told);
    return this.#counts.all();
  }

  /** Stops them accepting; settles when what ran has ended or `drainMs` is over. */
  async close(drainMs: number): Promise<void> {
    this.#stop();
    await within(drainMs + STOP_WITHIN_MS, this.#ask({ kind: "drain", drainMs }, "done"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop();
    await Promise.all([...this.#running.values()].map(({ worker }) => worker.terminate()));
  }

  #stop(): void {
    this.#stopping = true;
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #ask<Kind extends FromWorkerReply["kind"]>(message: ToWorker, kind: Kind) {
    return [...this.#running.values()].map(({ calls }) => calls.ask(message, kind));
  }

  #providers() {
    return (this.#served?.providers.ordered() ?? []).map(toProviderRecord);
  }

  async #spawn(thread: number): Promise<void> {
    const common = await this.#parts.startOf();
    if (this.#stopping) throw new Error("the server stops");
    const start: WorkerStart = { ...common, thread, providers: this.#providers() };
    const { entry, data } = this.#parts.program;
    const worker = new Worker(entry, { workerData: { ...start, data }, transferList: [start.rows] });
    const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
    const calls: Running["calls"] = new ThreadCalls(worker, (message: FromWorker) => {
      if (message.kind === "ready") resolve();
      return this.#work(message);
    });
    worker.on("message", calls.receive);
    let cause = new Error("it stopped");
    worker.on("error", (error) => {
      cause = error instanceof Error ? error : new Error(String(error));
    });
    const running: Running = { thread, worker, calls, startedMs: performance.now(), serving: false };
    worker.on("exit", () => {
      calls.end(cause);
      reject(cause);
      this.#ended(running, cause);
    });
    // In the same turn as the providers were read: from now on it is told of every change.
    this.#running.set(thread, running);
    const listening = [...this.#listening.values()].map((listen) =>
      calls.ask({ kind: "listen", ...listen }, "done"),
    );
    await Promise.all([ready, ...listening]);
    running.serving = true;
  }

  async #work(message: FromWorker): Promise<ToWorkerReply> {
    const served = this.#served;
    if (served === undefined || message.kind === "ready") return { kind: "done" };
    switch (message.kind) {
      case "report":
        if (message.log !== "") this.#parts.sink.write(message.log);
        for (const { refusal, atMs } of message.refusals) served.audit.refusal(refusal, atMs);
        this.#parts.metrics.upstreams.absorbHealth(message.health);
        served.usage.absorb(message.usage);
        return { kind: "done" };
      case "cool-down":
        served.credentials.coolUntil(message.credentialId, message.untilMs);
        this.tell(message);
        return { kind: "done" };
      case "models":
        return { kind: "models", models: await served.modelsOf(message.providerId) };
      case "credentials": {
        const pool = await served.credentials.open(message.providerId);
        return { kind: "credentials", pool: pool.map(toCredentialRecord) };
      }
      default:
        return message satisfies never;
    }
  }

  #ended(running: Running, cause: Error): void {
    const { thread, startedMs, serving } = running;
    // One that could not start may end only after its successor has begun.
    if (this.#running.get(thread) === running) this.#running.delete(thread);
    // Who tried to start it is told, and knows whether to try again.
    if (this.#stopping || !serving) return;
    this.#counts.ended(thread);
    this.#parts.onLost(thread);
    this.#parts.metrics.workerRestarted();
    const steady = performance.now() - startedMs > STEADY_AFTER_MS;
    const pauseMs = steady ? 0 : (this.#pauses.get(thread) ?? 0);
    this.#parts.log.error(
      { thread, detail: cause.stack ?? cause.message },
      `a worker thread ended; it is started anew in ${pauseMs} ms`,
    );
    this.#startAnew(thread, pauseMs);
  }

  #startAnew(thread: number, pauseMs: number): void {
    this.#pauses.set(thread, Math.min(LONGEST_PAUSE_MS, Math.max(FIRST_PAUSE_MS, pauseMs * 2)));
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#spawn(thread).catch((error: unknown) => {
        if (this.#stopping) return;
        void this.#running.get(thread)?.worker.terminate();
        this.#parts.log.error(
          { thread, detail: error instanceof Error ? error.message : "" },
          "a worker thread could not be started; it is tried again",
        );
        this.#startAnew(thread, this.#pauses.get(thread) ?? FIRST_PAUSE_MS);
      });
    }, pauseMs);
    this.#timers.add(timer);
  }
}

/** Settles when all have, or the time is over: a thread that is busy or gone must hold up nobody. */
async function within(ms: number, asked: readonly Promise<unknown>[]): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([Promise.allSettled(asked), late]);
  clearTimeout(timer);
}
