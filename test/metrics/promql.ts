/** A metric as an expression uses it. */
export interface MetricUse {
  readonly metric: string;
  /** Names of labels in its selector. */
  readonly labels: readonly string[];
}

const FUNCTIONS = new Set(
  "absent histogram_quantile increase max min rate sum time topk avg count clamp_min".split(" "),
);
const KEYWORDS = new Set(
  "by without on ignoring group_left group_right and or unless bool offset".split(" "),
);

/** What a PromQL expression reads, and by which labels it groups. Throws on a function this reader does not know. */
export function readPromql(expression: string): { uses: MetricUse[]; groupings: string[] } {
  const bare = expression.replace(/"(?:[^"\\]|\\.)*"/g, '""').replace(/\[[^\]]*\]/g, "");
  const groupings: string[] = [];
  const ungrouped = bare.replace(
    /\b(by|without|on|ignoring)\s*\(([^)]*)\)/g,
    (_whole, _word, names: string) => {
      groupings.push(...namesIn(names));
      return "";
    },
  );
  const uses: MetricUse[] = [];
  for (const found of ungrouped.matchAll(/(?<![\w.])([a-zA-Z_:][\w:]*)\s*(\{[^}]*\}|\()?/g)) {
    const [, word = "", after] = found;
    if (KEYWORDS.has(word)) continue;
    if (after === "(") {
      if (!FUNCTIONS.has(word)) throw new Error(`${word} is no function this test knows`);
    } else uses.push({ metric: word, labels: namesIn(after ?? "") });
  }
  return { uses, groupings };
}

function namesIn(text: string): string[] {
  return text.match(/[a-zA-Z_]\w*/g) ?? [];
}
