import { Box, Group, Text, Title } from "@mantine/core";
import { type ReactNode, useEffect } from "react";

/** The head of every page: its one h1, which is also the document's title, a line about it, and its main action. */
export function PageHeader(props: {
  readonly title: string;
  readonly about?: ReactNode;
  readonly children?: ReactNode;
}): ReactNode {
  useEffect(() => {
    document.title = `${props.title} · Claviger`;
  }, [props.title]);
  return (
    <Group justify="space-between" align="flex-start" mb="lg" gap="sm">
      <Box maw="46rem">
        <Title order={1} size="h2">
          {props.title}
        </Title>
        {props.about !== undefined && (
          <Text c="dimmed" mt={4}>
            {props.about}
          </Text>
        )}
      </Box>
      {props.children !== undefined && <Group gap="xs">{props.children}</Group>}
    </Group>
  );
}
