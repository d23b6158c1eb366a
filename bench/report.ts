import { type EarlierResult, renderComparison } from "./earlier.ts";
import type { Aim, Part, PartReport, Plan } from "./part.ts";
import { CONNECTIONS } from "./run-load.ts";
import { renderRows } from "./table.ts";

export interface Outcome {
  readonly part: Part;
  readonly report: PartReport;
}

/** The whole result as Markdown, aims first. */
export function renderReport(
  outcomes: readonly Outcome[],
  about: {
    readonly date: string;
    readonly machine: readonly string[];
    readonly plan: Plan;
    readonly otherWork: number;
    readonly earlier: EarlierResult | undefined;
  },
): string {
  const { rounds, durationMs } = about.plan.turns;
  const facts = [
    ...about.machine,
    `other work on the machine meanwhile: ${Math.round(about.otherWork * 100)} % of its processors' time`,
    `${CONNECTIONS} connections, ${rounds} interleaved rounds of ${durationMs / 1000} s, medians; ratios are taken round by round`,
  ];
  const parts = outcomes.map(({ part, report }) => section(part.title, report.body));
  const measured = parts.join("\n\n");
  const { earlier } = about;
  const comparison =
    earlier === undefined
      ? "No earlier result of this processor is committed."
      : renderComparison(earlier, measured);
  return [
    `# Benchmark of ${about.date}`,
    facts.map((line) => `- ${line}`).join("\n"),
    section("Aims", renderAims(outcomes.flatMap(({ report }) => report.aims))),
    measured,
    section("Since the last result", comparison),
    "What is measured, and what it does not say: [docs/bench.md](../../docs/bench.md).\n",
  ].join("\n\n");
}

function section(title: string, body: string): string {
  return `## ${title}\n\n${body}`;
}

function renderAims(aims: readonly Aim[]): string {
  if (aims.length === 0) return "None of what was measured has an aim.";
  const rows = aims.map(({ what, aim, value, met }) => [what, aim, value, met ? "met" : "**not met**"]);
  return renderRows(["what", "aim", "measured", "verdict"], rows);
}
