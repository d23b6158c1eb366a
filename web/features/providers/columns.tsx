import { Anchor, Badge, Code, Group, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Column } from "#components/data-table.tsx";
import { CredentialState } from "./credential-state.tsx";
import { kindLabel } from "./kinds.ts";
import type { Provider } from "./provider-terms.ts";

export const COLUMNS: readonly Column<Provider>[] = [
  { label: "Name", render: (provider) => <ProviderName of={provider} />, sortBy: "name" },
  { label: "Kind", render: ({ kind }) => kindLabel(kind), from: "sm", sortBy: "kind" },
  {
    label: "Base URL",
    render: ({ base_url }) => (
      <Code style={{ overflowWrap: "anywhere", background: "none", padding: 0 }}>{base_url}</Code>
    ),
    from: "md",
  },
  { label: "Credential", render: (provider) => <CredentialState of={provider} /> },
];

function ProviderName({ of: { name, source, kind } }: { readonly of: Provider }): ReactNode {
  return (
    <>
      <Group gap="xs">
        <Anchor
          component={Link}
          to={`/providers/${encodeURIComponent(name)}`}
          fw={500}
          style={{ overflowWrap: "anywhere" }}
        >
          {name}
        </Anchor>
        {source === "file" && <FileBadge />}
      </Group>
      <Text size="xs" c="dimmed" hiddenFrom="sm">
        {kindLabel(kind)}
      </Text>
    </>
  );
}

/** Says that the configuration file declares a thing. */
export function FileBadge(): ReactNode {
  return (
    <Badge variant="outline" color="gray" tt="none" fw={500} title="Declared in the configuration file">
      file
    </Badge>
  );
}
