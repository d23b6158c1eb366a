import { Box, Code, Group, Stack, Table, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { StateBadge } from "#components/state-badge.tsx";
import type { Schemas } from "#lib/api-types.ts";

const LINK = /\[([^\]]+)\]\([^)]+\)/g;

/** Every setting with what it is now, and where that is from. */
export function SettingsTable(props: { readonly of: Schemas["SettingsInForce"]["settings"] }): ReactNode {
  return (
    <Box role="region" aria-label="Settings" tabIndex={0} style={{ overflowX: "auto" }}>
      <Table verticalSpacing="xs" aria-label="Settings" layout="fixed">
        <Table.Thead>
          <Table.Tr>
            <Table.Th w="55%">Setting</Table.Th>
            <Table.Th>Value</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {props.of.map(({ name, value, source, restart_needed, about }) => (
            <Table.Tr key={name}>
              <Table.Td>
                <Stack gap={2}>
                  <Text fw={500} style={{ overflowWrap: "anywhere" }}>
                    {name}
                  </Text>
                  <Text size="sm" c="dimmed">
                    {about.replace(LINK, "$1")}
                  </Text>
                </Stack>
              </Table.Td>
              <Table.Td>
                <Group gap="xs">
                  <Code style={{ overflowWrap: "anywhere", whiteSpace: "pre-wrap" }}>{textOf(value)}</Code>
                  <StateBadge tone="neutral">{source}</StateBadge>
                  {restart_needed && <StateBadge tone="warning">restart needed</StateBadge>}
                </Group>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Box>
  );
}

/** As claviger.yaml has it, an entry with members on a line of its own; an empty list says so. */
function textOf(value: unknown): string {
  if (Array.isArray(value) && value.length === 0) return "none";
  if (!Array.isArray(value)) return wordOf(value);
  return value.map(wordOf).join(value.every((each) => typeof each === "string") ? ", " : "\n");
}

function wordOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
