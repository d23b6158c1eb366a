import { Center, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { type ReactNode, useEffect } from "react";
import { ColorSchemeToggle } from "#components/color-scheme-toggle.tsx";
import { Mark } from "#components/mark.tsx";

/** What stands before the pages: one card in the middle, with the name of the server. */
export function EntryCard(props: { readonly title: string; readonly children: ReactNode }): ReactNode {
  useEffect(() => {
    document.title = `${props.title} · Claviger`;
  }, [props.title]);
  return (
    <Center component="main" mih="100dvh" p="md">
      <Stack w="100%" maw={420} gap="md">
        <Group justify="space-between">
          <Group gap="sm">
            <Mark />
            <Text fw={600}>{location.host}</Text>
          </Group>
          <ColorSchemeToggle />
        </Group>
        <Paper withBorder p="lg">
          <Stack>
            <Title order={1} size="h3">
              {props.title}
            </Title>
            {props.children}
          </Stack>
        </Paper>
      </Stack>
    </Center>
  );
}
