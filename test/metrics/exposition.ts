/** One line of a reading. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric with everything under its name. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly samples: readonly Sample[];
}

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const TYPES = new Set(["counter", "gauge", "histogram"]);
const NUMBER = /^(\+Inf|-Inf|NaN|[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?)$/;

/**
 * Reads the Prometheus text format 0.0.4 and takes nothing that a careful writer would not write: HELP, then TYPE,
 * then all samples of the metric, each series once, counters named `_total`, histograms whole. Throws on the rest.
 */
export function parseExposition(text: string): Map<string, Family> {
  if (!text.endsWith("\n")) throw new Error("the last line has no end");
  const families = new Map<string, Family & { samples: Sample[] }>();
  let current: (Family & { samples: Sample[] }) | undefined;
  let help: [name: string, text: string] | undefined;
  for (const line of text.slice(0, -1).split("\n")) {
    if (line === "") continue;
    const comment = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line);
    const [, kind, name = "", rest = ""] = comment ?? [];
    if (line.startsWith("#") && comment === null) throw new Error(`a comment that says nothing: ${line}`);
    if (kind === "HELP") {
      if (help !== undefined) throw new Error(`HELP without TYPE before: ${line}`);
      help = [name, rest];
    } else if (kind === "TYPE") {
      if (help?.[0] !== name || families.has(name) || !METRIC_NAME.test(name) || !TYPES.has(rest))
        throw new Error(`an unexpected TYPE: ${line}`);
      current = { name, help: help[1], type: rest, samples: [] };
      families.set(name, current);
      help = undefined;
    } else {
      if (current === undefined || help !== undefined) throw new Error(`a sample without a TYPE: ${line}`);
      current.samples.push(parseSample(line));
    }
  }
  for (const family of families.values()) checkFamily(family);
  return families;
}

function parseSample(line: string): Sample {
  const [, name = "", inner, number = ""] =
    /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[^"]|"(?:[^"\\]|\\.)*")*)\})? (\S+)$/.exec(line) ?? [];
  if (name === "" || !NUMBER.test(number)) throw new Error(`no sample: ${line}`);
  const labels: Record<string, string> = {};
  let rest = inner ?? "";
  while (rest !== "") {
    const [whole, label, value] =
      /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\n"])*)"(?:,(?=.)|$)/.exec(rest) ?? [];
    if (whole === undefined || label === undefined || value === undefined || label in labels)
      throw new Error(`labels that are none: ${line}`);
    labels[label] = value.replace(/\\(.)/g, (_escape, one: string) => (one === "n" ? "\n" : one));
    rest = rest.slice(whole.length);
  }
  return { name, labels, value: Number(number.replace("Inf", "Infinity")) };
}

function checkFamily(family: Family): void {
  const series = new Set<string>();
  for (const { name, labels, value } of family.samples) {
    const suffix = name.slice(family.name.length);
    const allowed = family.type === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
    if (!name.startsWith(family.name) || !allowed.includes(suffix))
      throw new Error(`${name} stands under ${family.name}`);
    const identity = `${name} ${JSON.stringify(Object.entries(labels).sort())}`;
    if (series.has(identity)) throw new Error(`a series twice: ${identity}`);
    series.add(identity);
    if (family.type !== "gauge" && !(value >= 0)) throw new Error(`${identity} is ${value}`);
  }
  if ((family.type === "counter") !== family.name.endsWith("_total"))
    throw new Error(`${family.name} is a ${family.type}`);
  if (family.type === "histogram") checkHistogram(family);
}

function checkHistogram(family: Family): void {
  const groups = new Map<string, { bounds: number[]; counts: number[]; sum: number[]; count: number[] }>();
  for (const { name, labels, value } of family.samples) {
    const { le, ...others } = labels;
    const key = JSON.stringify(Object.entries(others).sort());
    const group = groups.get(key) ?? { bounds: [], counts: [], sum: [], count: [] };
    groups.set(key, group);
    if (name.endsWith("_bucket")) {
      group.bounds.push(Number(le?.replace("Inf", "Infinity")));
      group.counts.push(value);
    } else if (le !== undefined) throw new Error(`${name} has le`);
    else group[name.endsWith("_sum") ? "sum" : "count"].push(value);
  }
  const rises = (numbers: readonly number[], least: number) =>
    numbers.every((number, at) => at === 0 || number - (numbers[at - 1] ?? number) >= least);
  for (const [key, { bounds, counts, sum, count }] of groups) {
    const whole = sum.length === 1 && count.length === 1 && bounds.at(-1) === Number.POSITIVE_INFINITY;
    if (!whole || !rises(bounds, Number.MIN_VALUE) || !rises(counts, 0) || counts.at(-1) !== count[0])
      throw new Error(`${family.name} ${key} is no histogram`);
  }
}
