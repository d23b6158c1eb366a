import { expect, test } from "vitest";
import { type UsageRow, usageCsv, usageTable } from "./usage-report.ts";

const row = (more: Partial<UsageRow>): UsageRow => ({
  requests: 1,
  input_tokens: 10,
  output_tokens: 5,
  cost_usd: 0.5,
  estimated_requests: 0,
  unpriced_requests: 0,
  ...more,
});
const bars = (rows: readonly UsageRow[], width: number | undefined, by: "model" | "key" = "model") => {
  const { columns, cells } = usageTable(by, rows, width);
  return cells.map((cell) => String(cell[columns.at(-1) ?? ""] ?? "").length);
};

test("[G9] CSV has a heading, CR LF, doubled quotes, and empty cells for what is not known", () => {
  expect(usageCsv("model", [row({ model: 'a "b", c' }), row({ model: "d", cost_usd: null })])).toBe(
    [
      "model,requests,input_tokens,output_tokens,cost_usd,estimated_requests,unpriced_requests\r",
      '"a ""b"", c",1,10,5,0.5,0,0\r',
      "d,1,10,5,,0,0\r",
    ].join("\n"),
  );
});

test.each([
  "=1+1",
  "+1",
  "-1",
  "@SUM(A1)",
  "\tx",
  "\r=1",
  "\n=1",
])("[G9] a name such as %j is no formula in a spreadsheet", (name) => {
  const cell = usageCsv("provider", [row({ provider: name })])
    .split("provider,")
    .join("")
    .split("\r\n")[1];
  expect(cell?.replace(/^"/, "")).toMatch(/^'/);
});

test("[G9] numbers in CSV are plain, however small, and no provider is an empty cell", () => {
  const last = usageCsv("provider", [row({ provider: null, cost_usd: 0.000_000_15 })])
    .split("\n")
    .at(-1);
  expect(last).toBe(",1,10,5,0.00000015,0,0\r");
});

test("[G9] a table shows an unknown cost as unknown, and small costs with the digits they need", () => {
  const costs = [null, 0, 0.000_000_15, 0.000_21, 0.5, 1, 1234.567];
  const { columns, cells } = usageTable(
    "model",
    costs.map((cost_usd) => row({ model: "m", cost_usd })),
    undefined,
  );
  expect(columns).toEqual(["model", "requests", "input_tokens", "output_tokens", "cost_usd"]);
  expect(cells.map((cell) => cell.cost_usd)).toEqual([
    null,
    "0.00",
    "0.000000150",
    "0.000210",
    "0.500000",
    "1.00",
    "1234.57",
  ]);
});

test("[G9] on a terminal each row has a bar for its share of the cost, within the width", () => {
  const rows = [
    row({ model: "a", cost_usd: 4 }),
    row({ model: "b", cost_usd: 2 }),
    row({ model: "c", cost_usd: null }),
  ];
  expect(bars(rows, 200)).toEqual([40, 20, 0]);
  expect(bars([row({ model: "a", cost_usd: 1e6 }), row({ model: "b", cost_usd: 1e-9 })], 200)).toEqual([
    40, 1,
  ]);
  for (let width = 20; width < 120; width += 1) {
    const { columns, cells } = usageTable("model", rows, width);
    if (!columns.includes("cost")) continue;
    const widths = columns.map((column) =>
      Math.max(column.length, ...cells.map((cell) => String(cell[column] ?? "-").length)),
    );
    expect(widths.reduce((sum, each) => sum + each + 2, -2)).toBeLessThanOrEqual(width);
  }
});

test("[G9] bars are of tokens where no cost is known, and left out where there is no room or no terminal", () => {
  const rows = [row({ key: "a", cost_usd: null }), row({ key: "b", cost_usd: null, input_tokens: 25 })];
  expect(usageTable("key", rows, 200).columns.at(-1)).toBe("tokens");
  expect(bars(rows, 200, "key")).toEqual([20, 40]);
  for (const width of [undefined, 40]) expect(usageTable("key", rows, width).columns.at(-1)).toBe("cost_usd");
  expect(usageTable("key", [], 200).cells).toEqual([]);
});
