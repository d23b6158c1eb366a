import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { argon2idEncoded } from "#platform/lib/argon2.ts";
import { atMost } from "./aims.ts";
import { startClaviger } from "./claviger.ts";
import { type Contender, startUpstream } from "./contenders.ts";
import { type Figures, inTurns, type Measure, ratioOf } from "./measure.ts";
import type { Part } from "./part.ts";
import { CHAT, runRate, runWrongKeys } from "./run-load.ts";
import { type Column, renderMeasures, showCount, showMs } from "./table.ts";

const WRONG_PER_SECOND = 200;
/** More than one address may get wrong in any round, so that only the queue of the slow work holds them back. */
const MANY_ADDRESSES = 400;
const RATES = [200, 1_000];
const MOST_RATIO = 2;
/** As imported configurations have it: what RFC 9106 recommends where memory is short. */
const COST = { memoryKib: 65_536, passes: 3, lanes: 1, length: 32 };

/** How wrong keys come beside the right one: from so many addresses. */
interface Disturbance {
  readonly name: string;
  readonly addresses: number;
}

const ALONE = "alone";
const DISTURBANCES: readonly Disturbance[] = [
  { name: ALONE, addresses: 0 },
  { name: "wrong keys, one address", addresses: 1 },
  { name: `wrong keys, ${MANY_ADDRESSES} addresses`, addresses: MANY_ADDRESSES },
];

/** What a caller whose key is cheap to judge notices of others who try keys that are dear to judge. */
export const slowHashesPart: Part = {
  name: "slow-hashes",
  title: "Slow hashes",
  async run({ directory, program, plan }) {
    await using undo = new AsyncDisposableStack();
    const upstream = await startUpstream(undo);
    const config = path.join(directory, "claviger.yaml");
    writeFileSync(config, await withSlowIdentity());
    const server = await startClaviger(directory, upstream, { program, config, undo });
    const measures: Measure[] = [];
    for (const perSecond of RATES)
      measures.push(
        ...(await inTurns(
          `${showCount(perSecond)} chats/s`,
          { turns: plan.longTurns, contenders: DISTURBANCES },
          (disturbance, durationMs) => measureBeside(server, disturbance, { perSecond, durationMs }),
        )),
      );
    return {
      body: `${TEXT}\n\n${renderMeasures(measures, COLUMNS)}`,
      aims: RATES.flatMap((perSecond) => aimsAt(measures, `${showCount(perSecond)} chats/s`)),
    };
  },
};

const TEXT =
  `A listener that one identity with an argon2id hash (${COST.memoryKib / 1024} MiB, ${COST.passes} passes) may enter, ` +
  `and an issued key. Chats with the key come at a fixed rate; beside them ${WRONG_PER_SECOND} wrong keys a second, each ` +
  "another one, each of which would have to be hashed. *hashed* are those a second that were; the others were answered 429.";

const COLUMNS: readonly Column[] = [
  { title: "p50", figure: "medianMs", show: showMs, of: [ALONE] },
  { title: "p99", figure: "p99Ms", show: showMs, of: [ALONE] },
  { title: "hashed", figure: "hashed", show: (value) => value.toFixed(1) },
];

async function withSlowIdentity(): Promise<string> {
  const encoded = await argon2idEncoded(randomBytes(24).toString("base64url"), {
    ...COST,
    salt: randomBytes(16),
  });
  const hash = Buffer.from(encoded).toString("base64");
  return `resources:
  imported: { resource_type: Identity, credential: { api_key: ${hash} }, permissions: gateway }
  front: { resource_type: HttpServer, listen_addr: "127.0.0.1:0", auth: [keys, imported] }
`;
}

async function measureBeside(
  server: Contender,
  { addresses }: Disturbance,
  beat: { perSecond: number; durationMs: number },
): Promise<Figures> {
  const wrong =
    addresses === 0
      ? Promise.resolve<Record<string, number>>({})
      : runWrongKeys(server, { addresses, perSecond: WRONG_PER_SECOND, durationMs: beat.durationMs });
  const [{ medianMs, p99Ms }, answered] = await Promise.all([runRate(server, CHAT, beat), wrong]);
  return { medianMs, p99Ms, hashed: ((answered["401"] ?? 0) * 1_000) / beat.durationMs };
}

function aimsAt(measures: readonly Measure[], workload: string) {
  const here = measures.filter((measure) => measure.workload === workload);
  return DISTURBANCES.filter(({ name }) => name !== ALONE).map(({ name }) =>
    atMost(`p99 at ${workload}, ${name}, of ${ALONE}`, MOST_RATIO, ratioOf(here, "p99Ms", [name, ALONE])),
  );
}
