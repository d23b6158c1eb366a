import { Anchor, Group, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { CopyButton } from "#components/copy.tsx";
import type { Column } from "#components/data-table.tsx";
import { SourceBadge } from "#components/source-badge.tsx";
import { StateBadge } from "#components/state-badge.tsx";
import { entrantsOf, type Listener } from "./listener.ts";
import { TlsBadge } from "./tls-badge.tsx";

/** The columns of the list; a listener's name opens all of it. */
export function columnsOf(open: (listener: Listener) => void): readonly Column<Listener>[] {
  return [
    { label: "Name", render: (listener) => <Name of={listener} open={() => open(listener)} /> },
    { label: "State", render: (listener) => <State of={listener} /> },
    { label: "Reached at", render: (listener) => <FirstUrl of={listener} />, from: "sm" },
    { label: "Who gets in", render: (listener) => <Words of={entrantsOf(listener)} />, from: "md" },
    { label: "Serves", render: ({ serve }) => <Words of={serve} />, from: "lg" },
    { label: "TLS", render: (listener) => <TlsBadge of={listener} /> },
  ];
}

/** Whether it is open. */
export function State({ of: { state } }: { readonly of: Listener }): ReactNode {
  return state === "listening" ? (
    <StateBadge tone="good">listening</StateBadge>
  ) : (
    <StateBadge tone="bad">not listening</StateBadge>
  );
}

function Name(props: { readonly of: Listener; readonly open: () => void }): ReactNode {
  const { name, source } = props.of;
  return (
    <Group gap="xs">
      <Anchor component="button" type="button" ta="left" fw={500} onClick={props.open}>
        {name}
      </Anchor>
      <SourceBadge source={source} />
    </Group>
  );
}

/** Where it is reached first; a socket by its path, and what is not open as it is written. */
function FirstUrl({ of: { urls, addresses } }: { readonly of: Listener }): ReactNode {
  const [url] = urls;
  const more = urls.length - 1;
  if (url === undefined)
    return (
      <Text size="sm" style={{ overflowWrap: "anywhere" }}>
        {addresses.map(({ configured }) => configured).join(", ")}
      </Text>
    );
  return (
    <Stack gap={2}>
      <Group gap={4} wrap="nowrap">
        <Text size="sm" style={{ overflowWrap: "break-word" }}>
          {url}
        </Text>
        <CopyButton value={url} label={`Copy ${url}`} />
      </Group>
      {more > 0 && (
        <Text size="xs" c="dimmed">
          and {more} more
        </Text>
      )}
    </Stack>
  );
}

function Words(props: { readonly of: readonly string[] }): ReactNode {
  return (
    <Text size="sm" maw="20rem" style={{ overflowWrap: "anywhere" }}>
      {props.of.join(", ")}
    </Text>
  );
}
