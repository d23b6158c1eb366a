import { Button, Group, SimpleGrid, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { CopyField } from "#components/copy.tsx";
import { ProblemAlert } from "#components/problem-alert.tsx";
import { Section } from "#components/section.tsx";
import { Snippet } from "#components/snippet.tsx";
import { StateBadge } from "#components/state-badge.tsx";
import type { Schemas } from "#lib/api-types.ts";
import { useNow } from "#lib/now.ts";
import { useOpenJoining } from "./api/open-joining.ts";

/** Whether other servers may join now, and how they do. */
export function JoiningPanel(props: {
  readonly cluster: Schemas["Cluster"];
  readonly mayManage: boolean;
}): ReactNode {
  const { cluster, mayManage } = props;
  const open = useOpenJoining();
  const leftS = useSecondsUntil(cluster.joining_open_until);
  const isOpen = leftS > 0;
  const [address] = cluster.join_urls;
  return (
    <Section
      title="Other servers"
      actions={
        mayManage && (
          <Button
            variant={isOpen ? "default" : "filled"}
            loading={open.isPending}
            onClick={() => open.mutate()}
          >
            {isOpen ? "Open for 15 minutes anew" : "Let others join"}
          </Button>
        )
      }
    >
      <Group gap="xs">
        <StateBadge tone={isOpen ? "good" : "neutral"}>
          {isOpen ? `Joining is open for ${minutes(leftS)}` : "Joining is closed"}
        </StateBadge>
        {isOpen && cluster.tries_left !== null && (
          <Text size="sm" c="dimmed">
            {cluster.tries_left} {cluster.tries_left === 1 ? "try" : "tries"} of the PIN left
          </Text>
        )}
      </Group>
      <ProblemAlert error={open.error} />
      {address !== undefined && (
        <SimpleGrid cols={{ base: 1, md: 2 }}>
          <CopyField label="They join at" value={address} />
          <Stack gap={2}>
            <Text size="sm" fw={500}>
              At a terminal of theirs
            </Text>
            <Snippet text={`claviger cluster join ${address}`} label="The command that joins this cluster" />
          </Stack>
        </SimpleGrid>
      )}
    </Section>
  );
}

/** Whole seconds, 0 where that is over or never. */
function useSecondsUntil(at: string | null): number {
  const nowMs = useNow(1000);
  return at === null ? 0 : Math.max(0, Math.ceil((Date.parse(at) - nowMs) / 1000));
}

/** `14:05 min`. */
function minutes(s: number): string {
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")} min`;
}
