import { readdirSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { Counter, Gauge, type Registry } from "prom-client";
import { gaugeBy, gaugeOf } from "./metrics-instruments.ts";

const RESOLUTION_MS = 20;
const NANOSECONDS = 1e9;
const QUANTILES = [0.5, 0.9, 0.99];

/**
 * The process under the server: its build, CPU, memory, open files, and how late its event loop is. The names of the
 * general ones are those every Prometheus client uses. Gives the way to stop measuring.
 */
export function processMetrics(registry: Registry, version: string): { close(): void } {
  const build = new Gauge({
    name: "claviger_build_info",
    help: "Always 1; the labels say what runs.",
    labelNames: ["version", "node_version"],
    registers: [registry],
  });
  build.set({ version, node_version: process.versions.node }, 1);
  const startSeconds = Math.round(performance.timeOrigin) / 1000;
  gaugeOf(registry, "process_start_time_seconds", "When the process started, Unix time.", () => startSeconds);
  gaugeOf(registry, "process_open_fds", "Open file descriptors; -1 where it cannot be known.", openFiles);
  cpuMetrics(registry);
  memoryMetrics(registry);
  return eventLoopMetrics(registry);
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

/** Starts anew with every reading: each says how late the loop was since the one before. */
function eventLoopMetrics(registry: Registry): { close(): void } {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  // What is measured is the time between two ticks of a timer, the timer's own period included.
  const late = (nanoseconds: number) => Math.max(0, nanoseconds / NANOSECONDS - RESOLUTION_MS / 1000);
  gaugeBy(
    registry,
    {
      name: "claviger_event_loop_delay_seconds",
      help: "How late the event loop was since the last reading, by quantile (1 is the worst).",
      label: "quantile",
    },
    () => {
      const some = delay.count > 0;
      const quantiles = QUANTILES.map((q): [string, number] => [
        String(q),
        some ? late(delay.percentile(q * 100)) : 0,
      ]);
      const worst = some ? late(delay.max) : 0;
      delay.reset();
      return [...quantiles, ["1", worst]];
    },
  );
  return { close: () => void delay.disable() };
}

function openFiles(): number {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return -1;
  }
}
