import { Box, Group, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { CopyButton } from "#components/copy.tsx";
import type { Column } from "#components/data-table.tsx";
import { Quantity } from "#components/quantity.tsx";
import type { UsageBy, UsageRow } from "./api/list-usage.ts";
import { GROUPS } from "./usage-period.ts";

const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });

/** Columns of sums by `by`; `totalUsd` is what all of them cost. */
export function columnsOf(by: UsageBy, totalUsd: number | null): readonly Column<UsageRow>[] {
  return [
    {
      label: GROUPS.find(({ value }) => value === by)?.column ?? by,
      render: (row) => <Name of={row} by={by} />,
      sortBy: "name",
    },
    {
      label: "Requests",
      render: ({ requests }) => <Quantity value={requests} unit="count" />,
      align: "right",
      sortBy: "requests",
    },
    {
      label: "Tokens in",
      render: ({ input_tokens }) => <Quantity value={input_tokens} unit="tokens" />,
      align: "right",
      sortBy: "input_tokens",
      from: "xs",
    },
    {
      label: "Tokens out",
      render: ({ output_tokens }) => <Quantity value={output_tokens} unit="tokens" />,
      align: "right",
      sortBy: "output_tokens",
      from: "xs",
    },
    { label: "Cost", render: (row) => <Cost of={row} />, align: "right", sortBy: "cost_usd" },
    {
      label: "Share of the cost",
      render: ({ cost_usd }) => <Share part={cost_usd} of={totalUsd} />,
      from: "md",
    },
  ];
}

/** How a row is called. */
export function nameOf(row: UsageRow, by: UsageBy): string {
  if (by === "day") return DAY.format(Date.parse(row.day ?? ""));
  return row.name ?? row[by] ?? "none was reached";
}

/** Of a key or identity also its id, which tells those of one name apart. */
function Name(props: { readonly of: UsageRow; readonly by: UsageBy }): ReactNode {
  const { of: row, by } = props;
  const { key, name } = row;
  return (
    <>
      <Text size="sm" style={{ overflowWrap: "anywhere" }} miw="7rem">
        {nameOf(row, by)}
      </Text>
      {key !== undefined && typeof name === "string" && (
        <Group gap={4} wrap="nowrap">
          <Text size="xs" c="dimmed" style={{ overflowWrap: "anywhere" }}>
            {key}
          </Text>
          <CopyButton value={key} label={`Copy the id of ${name}`} />
        </Group>
      )}
    </>
  );
}

function Cost({ of: row }: { readonly of: UsageRow }): ReactNode {
  return (
    <>
      <Quantity value={row.cost_usd} unit="usd" />
      {row.unpriced_requests > 0 && row.cost_usd !== null && (
        <Text size="xs" c="dimmed">
          {row.unpriced_requests} not priced
        </Text>
      )}
    </>
  );
}

function Share(props: { readonly part: number | null; readonly of: number | null }): ReactNode {
  const { part, of: whole } = props;
  if (part === null || whole === null || whole === 0) return "–";
  return (
    <Box miw="8rem">
      <Quantity value={part / whole} unit="share" />
      <Box h={4} mt={2} miw={2} bg="keeper.6" w={`${(part / whole) * 100}%`} />
    </Box>
  );
}
