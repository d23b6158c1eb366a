import { Paper, Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { Snippet } from "./snippet.tsx";

/** What stands where nothing is yet: what would be here, the first step, and the same at a terminal. */
export function EmptyState(props: {
  readonly title: string;
  readonly about: ReactNode;
  readonly action?: ReactNode;
  readonly command?: string;
}): ReactNode {
  return (
    <Paper withBorder p="xl">
      <Stack gap="sm" maw="38rem" mx="auto" align="flex-start">
        <Title order={2} size="h4">
          {props.title}
        </Title>
        <Text>{props.about}</Text>
        {props.action}
        {props.command !== undefined && (
          <Stack gap={4} w="100%">
            <Text size="sm" c="dimmed">
              Or at a terminal:
            </Text>
            <Snippet text={props.command} label="The same at a terminal" />
          </Stack>
        )}
      </Stack>
    </Paper>
  );
}
