import { expect, test } from "vitest";
import { parseExposition } from "./exposition.ts";

const GOOD = `# HELP a_total Some.
# TYPE a_total counter
a_total{x="1,\\"}{\\\\\\n",y=""} 1
a_total 2.5e-3

# HELP h Other.
# TYPE h histogram
h_bucket{le="0.5"} 1
h_bucket{le="+Inf"} 2
h_sum 3
h_count 2
`;

test("what the parser of these tests takes", () => {
  const families = parseExposition(GOOD);
  expect([...families.keys()]).toEqual(["a_total", "h"]);
  expect(families.get("a_total")?.samples).toEqual([
    { name: "a_total", labels: { x: '1,"}{\\\n', y: "" }, value: 1 },
    { name: "a_total", labels: {}, value: 0.0025 },
  ]);
});

test.each([
  ["a_total 2.5e-3", "a_total 2.5x"],
  ["a_total 2.5e-3", "a_total  1"],
  ["a_total 2.5e-3", "a_total -1"],
  ["a_total 2.5e-3", 'a_total{x="1"y="2"} 1'],
  ["a_total 2.5e-3", 'a_total{x="1",} 1'],
  ["a_total 2.5e-3", 'a_total{x="1",x="2"} 1'],
  ["a_total 2.5e-3", 'a_total{x="\\t"} 1'],
  ["a_total 2.5e-3", 'a_total{x="""} 1'],
  ["a_total 2.5e-3", 'a_total{1x=""} 1'],
  ["a_total 2.5e-3", "a_total 1\na_total 1"],
  ["a_total 2.5e-3", "b_total 1"],
  ["a_total 2.5e-3", "a_total_sum 1"],
  ["a_total counter", "a_total gauge"],
  ["h histogram", "h counter"],
  ["# TYPE h histogram\n", ""],
  ["# HELP h Other.\n", ""],
  ["# HELP h Other.\n", "# HELP i Other.\n"],
  ["# HELP h Other.\n", "# HELP h\n"],
  ["# HELP h Other.\n", "# hello\n"],
  ['h_bucket{le="+Inf"} 2\n', ""],
  ['h_bucket{le="+Inf"} 2\n', 'h_bucket{le="+Inf"} 3\n'],
  ['h_bucket{le="0.5"} 1\n', 'h_bucket{le="0.5"} 3\n'],
  ["h_sum 3\n", ""],
  ["h_count 2\n", "h_count 2"],
])("what the parser of these tests refuses: %j as %j", (part, wrong) => {
  expect(GOOD).toContain(part);
  expect(() => parseExposition(GOOD.replace(part, () => wrong))).toThrow();
});
