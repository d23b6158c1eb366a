import { Box, Button, Skeleton, Table, Text } from "@mantine/core";
import { lazy, type ReactNode, Suspense, useMemo, useState } from "react";
import { Quantity } from "#components/quantity.tsx";
import { Section } from "#components/section.tsx";
import { exactQuantity } from "#lib/units.ts";
import type { Overview } from "./api/read-overview.ts";
import { type ChartKind, drawnRows, isEmpty } from "./chart-kinds.ts";
import { stepNames } from "./step-names.ts";

const SeriesChart = lazy(() => import("./series-chart.tsx"));

/** A chart of a period, or the same figures as a table. */
export function ChartSection(props: { readonly kind: ChartKind; readonly overview: Overview }): ReactNode {
  const { kind, overview } = props;
  const { from, to, step, series } = overview;
  const [isTable, setTable] = useState(false);
  const names = useMemo(() => stepNames({ from, to, step }), [from, to, step]);
  const rows = useMemo(() => drawnRows(kind, series), [kind, series]);
  const title = `${kind.title}, ${names.each}`;
  if (isEmpty(kind, series))
    return (
      <Section title={title}>
        <Text c="dimmed">{kind.none}</Text>
      </Section>
    );
  return (
    <Section
      title={title}
      actions={
        <Button
          size="compact-sm"
          variant="default"
          aria-label={`${title}: ${isTable ? "show as a chart" : "show as a table"}`}
          onClick={() => setTable(!isTable)}
        >
          {isTable ? "Chart" : "Table"}
        </Button>
      }
    >
      {isTable ? (
        <StepTable kind={kind} overview={overview} nameOf={names.nameOf} title={title} />
      ) : (
        <Suspense fallback={<Skeleton height={220} aria-busy />}>
          <SeriesChart
            kind={kind}
            rows={rows}
            nameOf={names.nameOf}
            label={`${title}: ${inAll(kind, overview)}`}
          />
        </Suspense>
      )}
    </Section>
  );
}

function inAll({ series, unit }: ChartKind, { totals }: Overview): string {
  const parts = series.map(({ name, of }) => {
    const value = of(totals);
    return `${name} ${value === null ? "not known" : exactQuantity(value, unit)}`;
  });
  return `${parts.join(", ")} in all`;
}

/** The newest first: what one looks for is at the top. */
function StepTable(props: {
  readonly kind: ChartKind;
  readonly overview: Overview;
  readonly nameOf: (time: string) => string;
  readonly title: string;
}): ReactNode {
  const { kind, overview, nameOf, title } = props;
  return (
    <Box role="region" aria-label={title} tabIndex={0} mah={220} style={{ overflow: "auto" }}>
      <Table stickyHeader verticalSpacing={4} aria-label={title}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Time</Table.Th>
            {kind.series.map(({ name }) => (
              <Table.Th key={name} ta="right">
                {name}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {overview.series.toReversed().map((point) => (
            <Table.Tr key={point.time}>
              <Table.Td>{nameOf(point.time)}</Table.Td>
              {kind.series.map(({ name, of }) => (
                <Table.Td key={name} ta="right">
                  <Quantity value={of(point)} unit={kind.unit} />
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Box>
  );
}
