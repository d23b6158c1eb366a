import { existsSync } from "node:fs";
import path from "node:path";
import { runProgram } from "#test/system/run-program.ts";
import { startProgram } from "#test/system/running-program.ts";
import { startClaviger } from "./claviger.ts";
import { type Contender, startUpstream, type UpstreamOfBench } from "./contenders.ts";
import { inTurns } from "./measure.ts";
import { freePort } from "./nginx.ts";
import type { Part } from "./part.ts";
import { measureRequests, rateAims, requestColumns } from "./requests.ts";
import { CHAT } from "./run-load.ts";
import { renderMeasures } from "./table.ts";

const PACKAGE = "@portkey-ai/gateway";
const PEER = "Portkey";
const LEAST_RATIO = 10;

/** Another gateway on the same Node.js, fetched for the occasion. Fails when it cannot be had. */
export const peersPart: Part = {
  name: "peers",
  title: "Another gateway",
  async run({ directory, program, plan }) {
    const { version, file } = await install(path.join(directory, "peer"));
    await using undo = new AsyncDisposableStack();
    const upstream = await startUpstream(undo);
    const peer = await startPeer(file, upstream, undo);
    const claviger = await startClaviger(directory, upstream, { program, undo });
    const measures = await inTurns(
      CHAT.name,
      { turns: plan.turns, contenders: [upstream.contender, peer, claviger] },
      (contender, durationMs) => measureRequests(contender, CHAT, durationMs),
    );
    return {
      body: `${PACKAGE} ${version} on the same Node.js.\n\n${renderMeasures(measures, requestColumns([PEER]))}`,
      aims: rateAims(measures, { of: PEER, what: "requests a second", least: LEAST_RATIO }),
    };
  },
};

async function install(directory: string): Promise<{ version: string; file: string }> {
  console.error(`installing ${PACKAGE}`);
  const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--prefix", directory];
  const { status, stderr } = await runProgram("npm", ["install", ...flags, PACKAGE]);
  const root = path.join(directory, "node_modules", PACKAGE);
  const file = path.join(root, "build", "start-server.js");
  if (status !== 0 || !existsSync(file)) throw new Error(`${PACKAGE} cannot be installed: ${stderr.trim()}`);
  const listed = await runProgram("npm", ["ls", "--prefix", directory, "--json", PACKAGE]);
  const found: { dependencies?: Record<string, { version?: string }> } = JSON.parse(listed.stdout);
  return { version: found.dependencies?.[PACKAGE]?.version ?? "of unknown version", file };
}

async function startPeer(
  file: string,
  upstream: UpstreamOfBench,
  undo: AsyncDisposableStack,
): Promise<Contender> {
  const port = await freePort();
  const server = undo.use(startProgram(process.execPath, [file, `--port=${port}`, "--headless"]));
  await server.hears(/running|ready|listening/i);
  const headers = {
    authorization: `Bearer ${upstream.credential}`,
    "x-portkey-provider": "openai",
    "x-portkey-custom-host": `http://127.0.0.1:${upstream.port}/v1`,
  };
  return { name: PEER, port, headers, pids: [server.pid] };
}
