import { readdirSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { Counter, Gauge, type Registry } from "prom-client";
import type { Clock } from "../../lib/clock.ts";
import { gaugeBy, gaugeOf } from "./instruments.ts";

const RESOLUTION_MS = 20;
const NANOSECONDS = 1e9;
const WINDOW_MS = 30_000;
const PERCENTILES = [50, 90, 99];

/**
 * The process under the server: its build, CPU, memory, open files, and how late its event loop is. The names of the
 * general ones are those every Prometheus client uses. Gives the way to stop measuring.
 */
export function processMetrics(
  registry: Registry,
  parts: { readonly version: string; readonly clock: Clock },
): { close(): void } {
  const build = new Gauge({
    name: "claviger_build_info",
    help: "Always 1; the labels say what runs.",
    labelNames: ["version", "node_version"],
    registers: [registry],
  });
  build.set({ version: parts.version, node_version: process.versions.node }, 1);
  const startSeconds = Math.round(performance.timeOrigin) / 1000;
  gaugeOf(registry, "process_start_time_seconds", "When the process started, Unix time.", () => startSeconds);
  gaugeOf(registry, "process_open_fds", "Open file descriptors; -1 where it cannot be known.", openFiles);
  cpuMetrics(registry);
  memoryMetrics(registry);
  return eventLoopMetrics(registry, parts.clock);
}

function cpuMetrics(registry: Registry): void {
  new Counter({
    name: "process_cpu_seconds_total",
    help: "CPU time the process has used, user and system.",
    registers: [registry],
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
}

function memoryMetrics(registry: Registry): void {
  gaugeOf(registry, "process_resident_memory_bytes", "Memory the process holds in RAM.", () =>
    process.memoryUsage.rss(),
  );
  gaugeBy(
    registry,
    { name: "nodejs_memory_bytes", help: "Memory of the JavaScript engine by its use.", label: "use" },
    () => {
      const { heapTotal, heapUsed, external, arrayBuffers } = process.memoryUsage();
      return [
        ["heap_total", heapTotal],
        ["heap_used", heapUsed],
        ["external", external],
        ["array_buffers", arrayBuffers],
      ];
    },
  );
}

function eventLoopMetrics(registry: Registry, clock: Clock): { close(): void } {
  const windows = new DelayWindows(clock);
  gaugeBy(
    registry,
    {
      name: "claviger_event_loop_delay_seconds",
      help: "How late the event loop was in the last 30 to 60 s: percentiles and the worst.",
      label: "stat",
    },
    () => windows.read(),
  );
  return windows;
}

/**
 * Two measurements, begun anew in turn: the older one is read. So every reader sees the same, however many there are
 * and however often they ask, and what was long ago is forgotten.
 */
class DelayWindows {
  readonly #clock: Clock;
  #older = startMeasuring();
  #younger = startMeasuring();
  #youngerSinceMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#youngerSinceMs = clock.now();
  }

  read(): [stat: string, seconds: number][] {
    const now = this.#clock.now();
    // The clock may have been set back.
    if (Math.abs(now - this.#youngerSinceMs) >= WINDOW_MS) {
      this.#older.reset();
      [this.#older, this.#younger] = [this.#younger, this.#older];
      this.#youngerSinceMs = now;
    }
    const delay = this.#older;
    // Before its first tick a measurement holds no number that means anything.
    const seconds = (nanoseconds: number) => (delay.count === 0 ? 0 : lateness(nanoseconds));
    return [
      ...PERCENTILES.map((at): [string, number] => [`p${at}`, seconds(delay.percentile(at))]),
      ["max", seconds(delay.max)],
    ];
  }

  close(): void {
    this.#older.disable();
    this.#younger.disable();
  }
}

function startMeasuring(): ReturnType<typeof monitorEventLoopDelay> {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  return delay;
}

/** What is measured is the time between two ticks of a timer, the timer's own period included. */
function lateness(nanoseconds: number): number {
  return Math.max(0, nanoseconds / NANOSECONDS - RESOLUTION_MS / 1000);
}

function openFiles(): number {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return -1;
  }
}
