import { Alert, Button, Code, Group, List, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Section } from "#components/section.tsx";
import { StateBadge } from "#components/state-badge.tsx";
import { listSecrets } from "./api/list-secrets.ts";
import type { Provider } from "./provider-terms.ts";
import type { Open } from "./windows.tsx";

/** What a provider presents to its upstream, by its ends; what is missing, and how it is set. */
export function CredentialSection(props: {
  readonly of: Provider;
  readonly onOpen: (window: Open) => void;
}): ReactNode {
  const { of: provider, onOpen } = props;
  const { credentials, problems = [] } = provider;
  return (
    <Section title="Credentials">
      {problems.map((problem) => (
        <Alert key={problem} color="red.9" variant="outline" title="It cannot be used">
          {problem}
        </Alert>
      ))}
      {credentials.length === 0 && problems.length === 0 && (
        <Text c="dimmed">None: requests go out without one.</Text>
      )}
      {credentials.length > 0 && (
        <List spacing={4}>
          {credentials.map(({ id, hint }) => (
            <List.Item key={id}>{hint === "" ? "not set" : <Code>…{hint}</Code>}</List.Item>
          ))}
        </List>
      )}
      {credentials.length > 1 && (
        <Text size="sm" c="dimmed">
          Requests use the first. One that the upstream refuses rests for a while, and the next is used.
        </Text>
      )}
      {provider.source === "file" && <Secrets of={provider.name} onOpen={onOpen} />}
    </Section>
  );
}

/** The sealed secrets that the file names for this provider: the file says their names, and they are set here. */
function Secrets(props: { readonly of: string; readonly onOpen: (window: Open) => void }): ReactNode {
  const { data } = useQuery(listSecrets());
  const own = data?.data.filter(({ used_by }) => used_by.includes(props.of)) ?? [];
  return (
    <Stack gap="xs">
      {own.map(({ name, set }) => (
        <Group key={name} gap="sm">
          <Text>
            Secret <Code>{name}</Code>
          </Text>
          <StateBadge tone={set ? "good" : "bad"}>{set ? "set" : "not set"}</StateBadge>
          <Button size="xs" variant="default" onClick={() => props.onOpen({ what: "secret", name })}>
            {set ? "Replace" : "Set"} {name}…
          </Button>
        </Group>
      ))}
    </Stack>
  );
}
