import { Code, Drawer, Group } from "@mantine/core";
import type { ReactNode } from "react";
import { Facts } from "#components/facts.tsx";
import { StateBadge } from "#components/state-badge.tsx";
import { useReturnFocus } from "#lib/return-focus.ts";
import type { AuditRow } from "./api/list-audit.ts";
import { OUTCOME_TONES } from "./columns.tsx";

const EXACT = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });

/** All of one record, at the side of the list. */
export function Details(props: { readonly of: AuditRow; readonly onClose: () => void }): ReactNode {
  const { of: row, onClose } = props;
  useReturnFocus();
  return (
    <Drawer.Root opened onClose={onClose} position="right" size="md">
      <Drawer.Overlay />
      <Drawer.Content>
        {/* Not Drawer.Header: that would be a second banner of the page. */}
        <Group justify="space-between" wrap="nowrap" p="md" pb={0}>
          <Drawer.Title fw={600}>{row.action}</Drawer.Title>
          <Drawer.CloseButton aria-label="Close" />
        </Group>
        <Drawer.Body pt="md">
          <Facts
            cols={1}
            of={[
              { name: "When", value: EXACT.format(Date.parse(row.time)) },
              {
                name: "Outcome",
                value: <StateBadge tone={OUTCOME_TONES[row.outcome]}>{row.outcome}</StateBadge>,
              },
              { name: "Actor", value: <Code>{row.actor}</Code> },
              { name: "Target", value: row.target === null ? "none" : <Code>{row.target}</Code> },
              { name: "From", value: row.address ?? "the machine itself" },
              {
                name: "Request",
                value: row.request_id === null ? "none" : <Code>{row.request_id}</Code>,
                about: "By this it is found in the server's log",
              },
              { name: "How often", value: row.count === 1 ? "once" : `${row.count} times within a minute` },
              { name: "Number in the chain", value: `${row.seq} of ${row.chain}` },
              { name: "Hash", value: row.hash === null ? "none" : <Code>{row.hash}</Code> },
            ]}
          />
        </Drawer.Body>
      </Drawer.Content>
    </Drawer.Root>
  );
}
