import { Anchor, Box, SegmentedControl, Skeleton, Stack, Table, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { ProblemAlert } from "#components/problem-alert.tsx";
import { Quantity } from "#components/quantity.tsx";
import { Section } from "#components/section.tsx";
import { useMe } from "#features/session/me.ts";
import { mayDo } from "#lib/permissions.ts";
import type { Range } from "#lib/ranges.ts";
import { listTop, type Metric, type TopBy, type TopRow } from "./api/list-top.ts";
import classes from "./top-section.module.css";

interface Kind {
  readonly by: TopBy;
  readonly label: string;
  /** How the list of requests is narrowed to one of these. */
  readonly filter: "principal" | "model" | "provider";
}

const WHO: readonly Kind[] = [
  { by: "key", label: "Keys", filter: "principal" },
  { by: "identity", label: "Identities", filter: "principal" },
];
const WHAT: readonly Kind[] = [
  { by: "model", label: "Models", filter: "model" },
  { by: "provider", label: "Providers", filter: "provider" },
];
export const WHO_AND_WHAT = [
  { title: "Who asked most", kinds: WHO },
  { title: "What was asked most", kinds: WHAT },
] as const;

/** Those with the most of `metric`, each with a bar for its size beside the first. */
export function TopSection(props: {
  readonly title: string;
  readonly kinds: readonly Kind[];
  readonly range: Range;
  readonly metric: Metric;
}): ReactNode {
  const { title, kinds, range, metric } = props;
  const [wanted, setWanted] = useState("");
  const kind = kinds.find(({ by }) => by === wanted) ?? kinds[0];
  if (kind === undefined) return null;
  return (
    <Section
      title={title}
      actions={
        <SegmentedControl
          size="xs"
          aria-label={`${title}: of what`}
          data={kinds.map(({ by, label }) => ({ value: by, label }))}
          value={kind.by}
          onChange={setWanted}
        />
      }
    >
      <TopTable kind={kind} range={range} metric={metric} />
    </Section>
  );
}

function TopTable(props: { readonly kind: Kind; readonly range: Range; readonly metric: Metric }): ReactNode {
  const { kind, range, metric } = props;
  const { data, error, refetch } = useQuery(listTop(range, kind.by, metric));
  if (data === undefined)
    return error === null ? <Skeleton height={160} /> : <ProblemAlert error={error} retry={refetch} />;
  const most = Math.max(...data.data.map((row) => sizeOf(row, metric)));
  if (!(most > 0)) return <Text c="dimmed">None of these in the last {range.words}.</Text>;
  return (
    <Box
      role="region"
      aria-label={`Most by ${metric}: ${kind.label}`}
      tabIndex={0}
      style={{ overflowX: "auto" }}
    >
      <Table verticalSpacing={6} aria-label={`Most by ${metric}: ${kind.label}`}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{kind.label}</Table.Th>
            <Table.Th ta="right">Requests</Table.Th>
            <Table.Th ta="right" visibleFrom="xs">
              Errors
            </Table.Th>
            <Table.Th ta="right">Tokens</Table.Th>
            <Table.Th ta="right">Cost</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {data.data.map((row) => (
            <Table.Tr key={row.id}>
              <Table.Td className={classes.name ?? ""}>
                <Stack gap={4}>
                  <Name of={row} filter={kind.filter} range={range} />
                  <Box className={classes.bar ?? ""} w={`${(sizeOf(row, metric) / most) * 100}%`} />
                </Stack>
              </Table.Td>
              <Figures of={row} />
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Box>
  );
}

function Name(props: {
  readonly of: TopRow;
  readonly filter: Kind["filter"];
  readonly range: Range;
}): ReactNode {
  const { id, name } = props.of;
  const mayRead = mayDo(useMe(), "requests.read");
  if (id === null) return "none was reached";
  if (!mayRead) return name;
  return (
    <Anchor
      size="sm"
      title={`Requests of ${id}`}
      renderRoot={(link) => (
        <Link {...link} to="/requests" search={{ [props.filter]: id, range: props.range.value }} />
      )}
    >
      {name}
    </Anchor>
  );
}

function Figures({ of: row }: { readonly of: TopRow }): ReactNode {
  return (
    <>
      <Table.Td ta="right">
        <Quantity value={row.requests} unit="count" />
      </Table.Td>
      <Table.Td ta="right" visibleFrom="xs">
        <Quantity value={row.errors} unit="count" />
      </Table.Td>
      <Table.Td ta="right">
        <Quantity value={row.input_tokens + row.output_tokens} unit="tokens" />
      </Table.Td>
      <Table.Td ta="right">
        <Quantity value={row.cost_usd} unit="usd" />
      </Table.Td>
    </>
  );
}

function sizeOf(row: TopRow, metric: Metric): number {
  switch (metric) {
    case "requests":
      return row.requests;
    case "errors":
      return row.errors;
    case "tokens":
      return row.input_tokens + row.output_tokens;
    case "cost":
      return row.cost_usd ?? 0;
    default:
      return metric satisfies never;
  }
}
