import { readFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import * as z from "zod";
import { ERRORS } from "#platform/lib/error.ts";
import { RESULTS, readingWithEverySeries } from "./every-series.ts";
import { readPromql } from "./promql.ts";
import type { Reading } from "./scrape.ts";

const docs = path.join(import.meta.dirname, "..", "..", "docs");
const markdown = readFileSync(path.join(docs, "metrics.md"), "utf8");
const dashboardText = readFileSync(path.join(docs, "grafana-dashboard.json"), "utf8");

const target = z.object({ expr: z.string().min(1), refId: z.string() });
const dashboardShape = z.object({
  uid: z.string(),
  title: z.string(),
  schemaVersion: z.number(),
  templating: z.object({ list: z.array(z.object({ name: z.string() })) }),
  panels: z.array(
    z.object({
      id: z.number(),
      type: z.string(),
      title: z.string(),
      gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
      targets: z.array(target).optional(),
    }),
  ),
});
const rulesShape = z.object({
  groups: z.array(
    z.object({
      rules: z.array(
        z.object({ alert: z.string(), expr: z.string(), annotations: z.object({ summary: z.string() }) }),
      ),
    }),
  ),
});

/** Labels that Prometheus adds to what it reads. */
const SCRAPED = ["instance", "job"];

let reading: Reading;
const labelsOf = new Map<string, Set<string>>();
beforeAll(async () => {
  reading = await readingWithEverySeries();
  for (const { name, samples } of reading.families.values())
    labelsOf.set(
      name,
      new Set(samples.flatMap(({ labels }) => Object.keys(labels)).filter((l) => l !== "le")),
    );
});

/** A family's name, of a name a query may use. */
function familyOf(metric: string): string {
  const stem = metric.replace(/_(bucket|sum|count)$/, "");
  return reading.families.get(stem)?.type === "histogram" ? stem : metric;
}

function checkExpression(expression: string): void {
  const { uses, groupings } = readPromql(expression.replaceAll("$__rate_interval", "5m"));
  const known = new Set([...SCRAPED, "le"]);
  for (const { metric, labels } of uses) {
    const family = reading.families.get(familyOf(metric));
    expect(family, `${metric} in ${expression}`).toBeDefined();
    if (family?.type === "histogram") expect(metric).toMatch(/_(bucket|sum|count)$/);
    const own = labelsOf.get(family?.name ?? "") ?? new Set();
    for (const label of own) known.add(label);
    for (const label of labels) expect([...own, ...SCRAPED], `${label} in ${expression}`).toContain(label);
  }
  for (const label of groupings) expect([...known], `${label} in ${expression}`).toContain(label);
  for (const [, code = ""] of expression.matchAll(/\bcode="([^"]*)"/g)) expect(ERRORS).toHaveProperty(code);
}

describe("docs/metrics.md", () => {
  const rows = [...markdown.matchAll(/^\| `([a-z_]+)` \| (\w+) \|(.*?)\| .+ \|$/gm)];

  test("[W3] lists every metric, with its type and its labels, and no other", () => {
    const listed = rows.map(([, name, type, labels]) => [
      name,
      type,
      (labels ?? "").match(/\w+/g)?.sort() ?? [],
    ]);
    const told = [...reading.families.values()].map(({ name, type }) => [
      name,
      type,
      [...(labelsOf.get(name) ?? [])].sort(),
    ]);
    const byName = (one: unknown[], two: unknown[]) => String(one[0]).localeCompare(String(two[0]));
    expect(listed.sort(byName)).toEqual(told.sort(byName));
  });

  test("[W3] names the bounds of the histograms that there are", () => {
    const bounds = reading.families
      .get("claviger_http_request_duration_seconds")
      ?.samples.flatMap(({ labels }) => (labels.le === undefined ? [] : [Number(labels.le)]));
    expect(bounds?.slice(0, -1)).toEqual([
      ...[5, 10, 25, 50, 100, 250, 500].map((ms) => ms / 1000),
      ...[1, 2.5, 5, 10, 30, 60, 120],
    ]);
    expect(markdown.replace(/\s+/g, " ")).toContain(
      "5, 10, 25, 50, 100, 250, 500 ms, 1, 2.5, 5, 10, 30, 60 and 120 s",
    );
  });

  test("[W3] its alerts are rules whose expressions name only what exists", () => {
    const [, block = ""] = /## Alerts[\s\S]*?```yaml\n([\s\S]*?)```/.exec(markdown) ?? [];
    const { groups } = rulesShape.parse(parse(block));
    const rules = groups.flatMap((group) => group.rules);
    expect(rules.length).toBeGreaterThan(5);
    for (const { expr } of rules) checkExpression(expr);
    const results = [...markdown.matchAll(/result="(\w+)"/g)].map(([, result]) => result);
    for (const result of results) expect(RESULTS).toContain(result);
  });

  test("[W3] names every result an upstream's request can have", async () => {
    const results = reading.families
      .get("claviger_upstream_results_total")
      ?.samples.map(({ labels }) => labels.result);
    expect(results?.sort()).toEqual([...RESULTS].sort());
    for (const result of RESULTS) expect(markdown).toContain(`\`${result}\``);
  });
});

describe("docs/grafana-dashboard.json", () => {
  const dashboard = dashboardShape.parse(JSON.parse(dashboardText));
  const expressions = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));

  test("[W3] its queries name only metrics and labels that exist", () => {
    expect(expressions.length).toBeGreaterThan(20);
    for (const expression of expressions) checkExpression(expression);
  });

  test("[W3] shows every metric but the one that tells whether a passphrase was set", () => {
    const shown = new Set(
      expressions.flatMap((expression) => readPromql(expression).uses.map(({ metric }) => familyOf(metric))),
    );
    const hidden = [...reading.families.keys()].filter((name) => !shown.has(name));
    expect(hidden).toEqual(["claviger_encryption_initialized"]);
  });

  test("its variables are declared, its panels numbered once and side by side", () => {
    const declared = new Set(dashboard.templating.list.map(({ name }) => name));
    for (const [, name = ""] of dashboardText.matchAll(/\$\{?([a-z]\w*)/g)) expect(declared).toContain(name);
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    for (const { gridPos } of dashboard.panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
  });
});

test("what the reader of expressions in these tests finds", () => {
  expect(
    readPromql('histogram_quantile(0.9, sum by (a, le) (rate(b_bucket{c=~"d(e)", f!=""}[5m]))) > 1e6'),
  ).toEqual({
    uses: [{ metric: "b_bucket", labels: ["c", "f"] }],
    groupings: ["a", "le"],
  });
  expect(readPromql("a / on (x) b or c").uses.map(({ metric }) => metric)).toEqual(["a", "b", "c"]);
  expect(() => readPromql("rats(a[5m])")).toThrow("rats");
});
