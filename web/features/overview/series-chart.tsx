import "@mantine/charts/styles.layer.css";
import { BarChart, LineChart } from "@mantine/charts";
import type { ReactNode } from "react";
import { shortQuantity } from "#lib/units.ts";
import type { ChartKind } from "./chart-kinds.ts";

const HEIGHT = 220;

/** Its own chunk, with what draws. To who cannot see it, `label` says what it shows. */
export default function SeriesChart(props: {
  readonly kind: ChartKind;
  readonly rows: Record<string, string | number | null>[];
  readonly nameOf: (time: string) => string;
  readonly label: string;
}): ReactNode {
  const { kind, rows, nameOf } = props;
  const shared = {
    role: "img",
    "aria-label": props.label,
    h: HEIGHT,
    data: rows,
    dataKey: "time",
    accessibilityLayer: false,
    withLegend: kind.series.length > 1,
    legendProps: { verticalAlign: "bottom" as const, height: 36, itemSorter: null },
    valueFormatter: (value: number) => shortQuantity(value, kind.unit),
    xAxisProps: { minTickGap: 40, tickFormatter: nameOf },
    tooltipProps: { labelFormatter: (time: ReactNode) => (typeof time === "string" ? nameOf(time) : "") },
    yAxisProps: { width: 64, allowDecimals: kind.unit === "usd" },
  };
  switch (kind.shape) {
    case "bars":
      return (
        <BarChart
          {...shared}
          type="stacked"
          maxBarWidth={28}
          series={kind.series.map(({ name, color }) => ({ name, color }))}
        />
      );
    case "lines":
      return (
        <LineChart
          {...shared}
          curveType="linear"
          connectNulls={false}
          dotProps={{ r: 2 }}
          series={kind.series.map(({ name, color, dashes }) => ({
            name,
            color,
            ...(dashes !== undefined && { strokeDasharray: dashes }),
          }))}
        />
      );
    default:
      return kind.shape satisfies never;
  }
}
