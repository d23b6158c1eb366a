import path from "node:path";
import { runProgram } from "#test/system/run-program.ts";
import { atLeast, atMost } from "./aims.ts";
import { type ClavigerOptions, clavigerCommand, startClaviger } from "./claviger.ts";
import { startUpstream } from "./contenders.ts";
import { inTurns, type Measure, ratioOf } from "./measure.ts";
import { startNginx } from "./nginx.ts";
import type { Aim, Bench, Part } from "./part.ts";
import { CPU, measureRequests, RATE, requestColumns } from "./requests.ts";
import { measureRest } from "./rest.ts";
import { CHAT } from "./run-load.ts";
import { renderMeasures, showMib } from "./table.ts";

const ONE = "Claviger, 1 worker";
const TWO = "Claviger, 2 workers";
/** nginx with one and with two, for what the machine makes of it. */
const NGINX_ONE = "nginx, 1 worker";
const NGINX_TWO = "nginx, 2 workers";
const MOST_CPU = 1.1;
/** On two cores, which the load and the upstream use too, the second one has little left to win. */
const LEAST_RATE = 1;
const MOST_BYTES = 30 * 2 ** 20;
/** At rest, beside one: the average is that of a further worker. */
const MANY = 3;

/** Two workers against one, and what a further one takes of memory. */
export const workersPart: Part = {
  name: "workers",
  title: "Workers",
  async run(bench) {
    if (!(await hasWorkers(bench)))
      return { body: "Left out: this version's `serve` has no `--workers`.", aims: [] };
    const load = await compareLoad(bench);
    const bytes = await furtherWorkerBytes(bench);
    const aim = { what: "memory of a further worker", aim: `at most ${showMib(MOST_BYTES)}` };
    return {
      body: `${describe(load)}\n\nA further worker takes ${showMib(bytes)} at rest.`,
      aims: [...loadAims(load), { ...aim, value: showMib(bytes), met: bytes <= MOST_BYTES }],
    };
  },
};

function describe(load: readonly Measure[]): string {
  const tables = [
    [ONE, TWO],
    [NGINX_ONE, NGINX_TWO],
  ].map(([one = "", two = ""]) => {
    const own = load.filter(({ contender }) => contender === one || contender === two);
    return renderMeasures(own, requestColumns([one]));
  });
  return tables.join("\n\nThe same of nginx, on the same two cores:\n\n");
}

function loadAims(load: readonly Measure[]): readonly Aim[] {
  const ratio = (figure: string) => ratioOf(load, figure, [TWO, ONE]);
  return [
    atMost("CPU a request with two workers, of one", MOST_CPU, ratio(CPU)),
    atLeast("requests a second with two workers, of one", LEAST_RATE, ratio(RATE)),
  ];
}

const flags = (workers: number) => ["--workers", String(workers)];

async function hasWorkers({ program, directory }: Bench): Promise<boolean> {
  const { args, env } = clavigerCommand(program, directory);
  const help = await runProgram(process.execPath, [...args, "serve", "--help"], { env });
  return help.stdout.includes("--workers");
}

async function compareLoad({ directory, program, plan }: Bench): Promise<readonly Measure[]> {
  await using undo = new AsyncDisposableStack();
  const upstream = await startUpstream(undo);
  const start = (options: Pick<ClavigerOptions, "name" | "serveFlags">) =>
    startClaviger(directory, upstream, { program, ...options, undo });
  const one = await start({ name: ONE, serveFlags: flags(1) });
  const two = await start({ name: TWO, serveFlags: flags(2) });
  const nginx = (name: string, workers: number) => startNginx(directory, upstream, { name, workers, undo });
  const contenders = [one, two, await nginx(NGINX_ONE, 1), await nginx(NGINX_TWO, 2)];
  return await inTurns(CHAT.name, { turns: plan.turns, contenders }, (contender, durationMs) =>
    measureRequests(contender, CHAT, durationMs),
  );
}

async function furtherWorkerBytes({ directory, program, plan }: Bench): Promise<number> {
  const at = async (workers: number) => {
    const within = path.join(directory, `rest-${workers}`);
    return (await measureRest(within, { program, serveFlags: flags(workers) }, plan.rest)).bytes;
  };
  return ((await at(MANY)) - (await at(1))) / (MANY - 1);
}
