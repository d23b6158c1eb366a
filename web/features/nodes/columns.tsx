import { Anchor, Badge, Group, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import type { Column } from "#components/data-table.tsx";
import { StateBadge } from "#components/state-badge.tsx";
import { Time } from "#components/time.tsx";
import type { Schemas } from "#lib/api-types.ts";

export type Node = Schemas["Node"];

const STATES = {
  up: { tone: "good", word: "up" },
  down: { tone: "bad", word: "down" },
  needs_pin: { tone: "warning", word: "needs the PIN" },
} as const;
const MOST_MODELS = 3;

/** The columns of the list; `ownId` is the server that is asked. */
export function columnsFor(ownId: string | undefined): readonly Column<Node>[] {
  return [
    { label: "Name", render: (node) => <NodeName of={node} isOwn={node.id === ownId} /> },
    {
      label: "State",
      render: ({ state }) => <StateBadge tone={STATES[state].tone}>{STATES[state].word}</StateBadge>,
    },
    { label: "Lock", render: (node) => <Lock of={node} />, from: "xs" },
    { label: "Models", render: (node) => <Models of={node} />, from: "md" },
    { label: "Version", render: ({ version }) => version || "not heard yet", from: "lg" },
    { label: "Heard", render: (node) => <Time at={node.last_seen} />, from: "sm" },
  ];
}

function NodeName({ of: node, isOwn }: { readonly of: Node; readonly isOwn: boolean }): ReactNode {
  return (
    <Stack gap={2} maw="22rem">
      <Group gap="xs">
        <Text fw={500} style={{ overflowWrap: "anywhere" }}>
          {node.name}
        </Text>
        {isOwn && (
          <Badge variant="outline" color="gray" tt="none">
            this server
          </Badge>
        )}
      </Group>
      {node.url !== null && (
        <Anchor href={node.url} size="xs" rel="noreferrer" style={{ overflowWrap: "anywhere" }}>
          {node.url}
        </Anchor>
      )}
    </Stack>
  );
}

/** Of a server that is down nobody knows it any more. */
function Lock({ of: node }: { readonly of: Node }): ReactNode {
  if (node.state === "down") return "not known";
  return (
    <StateBadge tone={node.unlocked ? "good" : "warning"}>{node.unlocked ? "unlocked" : "locked"}</StateBadge>
  );
}

function Models({ of: { models } }: { readonly of: Node }): ReactNode {
  if (models.length === 0) return <Text size="sm">none</Text>;
  const more = models.length - MOST_MODELS;
  return (
    <Text size="sm" title={models.join("\n")} style={{ overflowWrap: "anywhere" }}>
      {models.slice(0, MOST_MODELS).join(", ")}
      {more > 0 && ` and ${more} more`}
    </Text>
  );
}
