import { Code, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import type { Column } from "#components/data-table.tsx";
import { Limits } from "#components/limits.tsx";
import { StateBadge } from "#components/state-badge.tsx";
import { Time } from "#components/time.tsx";
import { useNow } from "#lib/now.ts";
import { type Key, keyState, STATE_TONES } from "./key-state.ts";

export const COLUMNS: readonly Column<Key>[] = [
  { label: "Name", render: (key) => <KeyName of={key} />, sortBy: "name" },
  { label: "State", render: (key) => <State of={key} /> },
  { label: "May", render: (key) => <May of={key} />, from: "sm" },
  { label: "Limits", render: ({ limits }) => <Limits of={limits} />, from: "lg" },
  {
    label: "Ends",
    render: ({ expires_at }) => <Time at={expires_at} none="never" />,
    from: "md",
    sortBy: "expires_at",
  },
  { label: "Made", render: ({ created_at }) => <Time at={created_at} />, from: "lg", sortBy: "created_at" },
  { label: "Last used", render: (key) => <LastUsed of={key} />, from: "xs", sortBy: "last_used_at" },
];

function KeyName({ of: key }: { readonly of: Key }): ReactNode {
  return (
    <Stack gap={2}>
      <Text fw={500}>{key.name}</Text>
      <Code style={{ overflowWrap: "anywhere", alignSelf: "flex-start" }}>
        {key.prefix}…{key.last4}
      </Code>
    </Stack>
  );
}

function State({ of: key }: { readonly of: Key }): ReactNode {
  const state = keyState(key, useNow());
  return <StateBadge tone={STATE_TONES[state]}>{state}</StateBadge>;
}

function May({ of: key }: { readonly of: Key }): ReactNode {
  const models = key.models === null ? "all\u00a0models" : key.models.join(", ") || "no model";
  return (
    <Stack gap={2}>
      <Text size="sm">{key.permissions.join(", ") || "nothing"}</Text>
      <Text size="xs" c="dimmed">
        {models}
        {key.allowed_ips !== null && `; from ${key.allowed_ips.join(", ")}`}
      </Text>
    </Stack>
  );
}

function LastUsed({ of: key }: { readonly of: Key }): ReactNode {
  return (
    <Stack gap={2}>
      <Text size="sm">
        <Time at={key.last_used_at} none="never" />
      </Text>
      {key.last_address !== null && (
        <Text size="xs" c="dimmed">
          from {key.last_address}
        </Text>
      )}
    </Stack>
  );
}
