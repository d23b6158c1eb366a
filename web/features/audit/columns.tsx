import { Anchor, Text } from "@mantine/core";
import type { ReactNode } from "react";
import type { Column } from "#components/data-table.tsx";
import { StateBadge } from "#components/state-badge.tsx";
import { Time } from "#components/time.tsx";
import type { AuditRow } from "./api/list-audit.ts";

export const OUTCOME_TONES = { success: "good", failure: "warning", denied: "bad" } as const;

/** The columns of the records; the name of the action opens the whole of one. */
export function columnsOf(open: (row: AuditRow) => void): readonly Column<AuditRow>[] {
  return [
    { label: "Time", render: ({ time }) => <Time at={time} />, sortBy: "time" },
    {
      label: "Action",
      render: (row) => (
        <Anchor component="button" type="button" ta="left" onClick={() => open(row)}>
          {row.action}
        </Anchor>
      ),
    },
    {
      label: "Outcome",
      render: ({ outcome, count }) => (
        <>
          <StateBadge tone={OUTCOME_TONES[outcome]}>{outcome}</StateBadge>
          {count > 1 && (
            <Text span size="sm" c="dimmed">
              {" "}
              {count} times
            </Text>
          )}
        </>
      ),
    },
    { label: "Actor", render: ({ actor }) => <Id of={actor} />, from: "sm" },
    { label: "Target", render: ({ target }) => <Id of={target} />, from: "md" },
    { label: "From", render: ({ address }) => address ?? "–", from: "lg" },
  ];
}

function Id(props: { readonly of: string | null }): ReactNode {
  return (
    <Text size="sm" style={{ overflowWrap: "anywhere" }}>
      {props.of ?? "–"}
    </Text>
  );
}
