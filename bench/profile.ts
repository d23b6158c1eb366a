/* Where the time of the server's main thread goes, by what the code that runs is for. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { Profiler } from "node:inspector";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { SOURCES, startClaviger } from "./claviger.ts";
import { startUpstream } from "./contenders.ts";
import { CHAT, runLoad } from "./run-load.ts";

/** By the end of a file's path or by the name of a native function; the first that fits. */
const PLACES: readonly (readonly [string, RegExp])[] = [
  ["system calls that send (both halves)", /^(writev|writeBuffer|writeLatin1String|writeUtf8String) $/],
  ["garbage collection", /^\(garbage collector\)/],
  [
    "log",
    /node_modules\/(pino|sonic-boom)|src\/platform\/(log\/(log|access-line|standard-output)|http\/access-log|lib\/clock)\.ts|^writeString /,
  ],
  ["metrics", /node_modules\/prom-client|src\/platform\/log\/metrics/],
  [
    "row and its price",
    /src\/(platform\/storage|services\/gateway\/(requests|usage|prices))|genai-prices|node_modules\/(zod|kysely)|postMessage/,
  ],
  [
    "authentication and permission",
    /src\/(identity|gates|app|platform\/lib\/(base62|random|id)\.ts)|internal\/crypto|^(digest|update|timingSafeEqual|init) $/,
  ],
  ["client half: egress", /src\/platform\/egress/],
  ["server half: requests and answers", /node:_http|src\/platform\/http/],
  ["gateway: body, headers, reply", /src\/(services\/gateway|vault)/],
  ["Node's own: buffers, streams, timers", /node:/],
];

const WARM_UP_MS = 2_000;
const PROFILED_MS = 5_000;

/** Prints where the time goes in five seconds of chats, warmed up; of the sources, whose files tell what is what. */
export async function reportProfile(): Promise<void> {
  const directory = mkdtempSync(path.join(tmpdir(), "bench-profile-"));
  await using undo = new AsyncDisposableStack();
  undo.defer(() => rmSync(directory, { recursive: true, force: true }));
  const file = path.join(directory, "profile.json");
  const probe = pathToFileURL(path.join(import.meta.dirname, "profile-probe.ts"));
  probe.searchParams.set("file", file);
  const upstream = await startUpstream(undo);
  const nodeFlags = ["--import", probe.href];
  const server = await startClaviger(directory, upstream, { program: SOURCES, nodeFlags, undo });
  const signal = () => server.pids.forEach((pid) => void process.kill(pid, "SIGUSR2"));
  await runLoad(server, CHAT, WARM_UP_MS);
  signal();
  await runLoad(server, CHAT, PROFILED_MS);
  signal();
  while (!existsSync(file)) await sleep(50);
  console.log(renderProfile(file));
}

/** A Markdown table of a V8 profile, idle time left out: each place's share of the rest. */
function renderProfile(file: string): string {
  const profile: Profiler.Profile = JSON.parse(readFileSync(file, "utf8"));
  const places = new Map(profile.nodes.map(({ id, callFrame }) => [id, placeOf(callFrame)]));
  const sums = new Map<string, number>();
  profile.samples?.forEach((id, index) => {
    const place = places.get(id) ?? "";
    if (place !== "") sums.set(place, (sums.get(place) ?? 0) + (profile.timeDeltas?.[index] ?? 0));
  });
  const whole = [...sums.values()].reduce((sum, each) => sum + each, 0);
  const rows = [...sums]
    .toSorted((left, right) => right[1] - left[1])
    .map(([place, time]) => `| ${place} | ${((time / whole) * 100).toFixed(1)} % |`);
  return ["| where | share |", "| --- | ---: |", ...rows].join("\n");
}

/** Empty for what is no work: idling, and the profile itself. */
function placeOf({ functionName, url }: { functionName: string; url: string }): string {
  if (functionName === "(idle)" || url === "node:inspector") return "";
  const text = `${functionName} ${url}`;
  return PLACES.find(([, pattern]) => pattern.test(text))?.[0] ?? "everything else";
}
