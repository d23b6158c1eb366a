import { Button, Group, Radio, Stack, Text } from "@mantine/core";
import { IconRadar2 } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { ProblemAlert } from "#components/problem-alert.tsx";
import { useDiscoverMembers } from "./api/discover-members.ts";

/** The members that the server hears on its network, to choose from. */
export function FoundMembers(props: {
  readonly chosen: string;
  readonly onChoose: (url: string) => void;
}): ReactNode {
  const looking = useDiscoverMembers();
  const found = looking.data?.data;
  return (
    <Stack gap="xs">
      <Group gap="sm">
        <Button
          variant="default"
          size="xs"
          leftSection={<IconRadar2 size={16} aria-hidden />}
          loading={looking.isPending}
          onClick={() => looking.mutate()}
        >
          Look for members nearby
        </Button>
        {looking.isPending && (
          <Text size="sm" c="dimmed" role="status">
            Listening for 3 seconds…
          </Text>
        )}
      </Group>
      <ProblemAlert error={looking.error} />
      {found?.length === 0 && (
        <Text size="sm" role="status">
          Nobody was heard. Members tell of themselves only while they let others join.
        </Text>
      )}
      {found !== undefined && found.length > 0 && (
        <Radio.Group
          label="Heard nearby"
          description="Anybody on the network can say that he is a member; the PIN proves it"
          value={props.chosen}
          onChange={props.onChoose}
        >
          <Stack gap={6} mt="xs">
            {found.map(({ name, url }) => (
              <Radio key={url} value={url} label={name} description={url} />
            ))}
          </Stack>
        </Radio.Group>
      )}
    </Stack>
  );
}
