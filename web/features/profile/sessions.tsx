import { Button, Group, Stack, Text } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { type Column, DataTable } from "#components/data-table.tsx";
import { Section } from "#components/section.tsx";
import { StateBadge } from "#components/state-badge.tsx";
import { Time } from "#components/time.tsx";
import type { Schemas } from "#lib/api-types.ts";
import { tellDone, tellProblem } from "#lib/tell.tsx";
import { useEndOtherSessions } from "./api/end-other-sessions.ts";
import { useEndSession } from "./api/end-session.ts";
import { listSessions } from "./api/list-sessions.ts";

type Session = Schemas["Session"];

const COLUMNS: readonly Column<Session>[] = [
  { label: "Where", render: (session) => <Where of={session} /> },
  { label: "Last used", render: ({ last_seen_at }) => <Time at={last_seen_at} /> },
  { label: "Began", render: ({ created_at }) => <Time at={created_at} />, from: "sm" },
  { label: "Ends", render: ({ ends_at }) => <Time at={ends_at} />, from: "sm" },
];

/** Where one is signed in. */
export function Sessions(): ReactNode {
  const query = useInfiniteQuery(listSessions());
  const end = useEndSession();
  const endOthers = useEndOtherSessions();
  const done = { onSuccess: () => tellDone("Signed out there."), onError: tellProblem };
  return (
    <Section
      title="Sessions"
      actions={
        <Button
          variant="default"
          size="xs"
          loading={endOthers.isPending}
          onClick={() => endOthers.mutate(undefined, done)}
        >
          Sign out everywhere else
        </Button>
      }
    >
      <DataTable
        label="Sessions"
        query={query}
        columns={COLUMNS}
        rowKey={({ id }) => id}
        rowName={nameOf}
        actions={({ id, current }) =>
          current ? [] : [{ label: "Sign out there", run: () => end.mutate(id, done), isGrave: true }]
        }
        empty={<Text>No session.</Text>}
      />
    </Section>
  );
}

function Where({ of: session }: { readonly of: Session }): ReactNode {
  return (
    <Stack gap={2}>
      <Group gap="xs">
        <Text size="sm">{session.address ?? "the control socket"}</Text>
        {session.current && <StateBadge tone="good">this one</StateBadge>}
      </Group>
      <Text
        size="xs"
        c="dimmed"
        maw={{ base: "11rem", sm: "24rem" }}
        truncate
        title={session.user_agent ?? undefined}
      >
        {session.user_agent}
      </Text>
    </Stack>
  );
}

function nameOf({ address, user_agent }: Session): string {
  return `the session of ${user_agent ?? "an unknown program"} at ${address ?? "this machine"}`;
}
