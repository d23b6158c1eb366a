import { CLAVIGER, startContenders, UPSTREAM } from "./contenders.ts";
import { differenceOf, inTurns } from "./measure.ts";
import type { Part } from "./part.ts";
import { CHAT, runRate, warmUp } from "./run-load.ts";
import { renderMeasures, showMs } from "./table.ts";

const PER_SECOND = 1_000;
const MOST_ADDED_MS = 0.3;

/** What each adds to a request's time when requests come at a fixed rate. */
export const ratePart: Part = {
  name: "rate",
  title: "Added latency",
  async run({ directory, program, plan }) {
    await using contenders = await startContenders(directory, { program });
    await warmUp(contenders.all, plan.turns.warmUpMs);
    const measures = await inTurns(
      CHAT.name,
      { turns: plan.turns, contenders: contenders.all },
      async (contender, durationMs) => {
        const { medianMs, p99Ms } = await runRate(contender, CHAT, { perSecond: PER_SECOND, durationMs });
        return { medianMs, p99Ms };
      },
    );
    const body = renderMeasures(measures, [
      { title: "p50", figure: "medianMs", show: showMs, addedTo: UPSTREAM },
      { title: "p99", figure: "p99Ms", show: showMs, addedTo: UPSTREAM },
    ]);
    const added = differenceOf(measures, "medianMs", [CLAVIGER, UPSTREAM]);
    const aim = { what: "added p50 at 1,000 requests a second", aim: `at most ${showMs(MOST_ADDED_MS)}` };
    return {
      body: `${PER_SECOND.toLocaleString("en")} requests a second, sent when they are due; what was added to the upstream alone.\n\n${body}`,
      aims: [{ ...aim, value: showMs(added), met: added <= MOST_ADDED_MS }],
    };
  },
};
