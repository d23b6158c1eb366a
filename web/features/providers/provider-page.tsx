import { Anchor, Button, Group, Skeleton, Stack, Text } from "@mantine/core";
import { IconArrowLeft } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { PageHeader } from "#components/page-header.tsx";
import { ProblemAlert } from "#components/problem-alert.tsx";
import { Section } from "#components/section.tsx";
import { Snippet } from "#components/snippet.tsx";
import { useMe } from "#features/session/me.ts";
import { useEventRefresh } from "#lib/events.ts";
import { mayDo } from "#lib/permissions.ts";
import { getProvider } from "./api/get-provider.ts";
import { CredentialSection } from "./credential-section.tsx";
import { FactsSection } from "./facts-section.tsx";
import { kindLabel } from "./kinds.ts";
import { ModelTable } from "./models/model-table.tsx";
import type { Provider } from "./provider-terms.ts";
import { actionsOf, type Open, Windows } from "./windows.tsx";

export default function ProviderPage(): ReactNode {
  const { name = "" }: { name?: string } = useParams({ strict: false });
  const [open, setOpen] = useState<Open | null>(null);
  const query = useQuery(getProvider(name));
  const provider = query.data;
  useEventRefresh(["config"], [getProvider(name).queryKey]);
  return (
    <>
      <Anchor component={Link} to="/providers" size="sm" mb="xs" display="inline-block">
        <Group gap={4}>
          <IconArrowLeft size={14} aria-hidden /> Providers
        </Group>
      </Anchor>
      <PageHeader title={name} about={provider && `${kindLabel(provider.kind)} at ${provider.base_url}`}>
        {provider !== undefined &&
          actionsOf(provider, setOpen).map(({ label, run, isGrave }) => (
            <Button key={label} variant="default" onClick={run} {...(isGrave && { c: GRAVE })}>
              {label}
            </Button>
          ))}
      </PageHeader>
      <Stack>
        <ProblemAlert error={query.error} retry={query.refetch} />
        {query.isPending && <Skeleton height={160} aria-label="Loading" />}
        {provider !== undefined && (
          <>
            <CredentialSection of={provider} onOpen={setOpen} />
            <FactsSection of={provider} />
            {provider.kind === "http" ? <Published of={provider} /> : <Served of={provider} />}
          </>
        )}
      </Stack>
      <Windows open={open} onClose={() => setOpen(null)} />
    </>
  );
}

const GRAVE = "var(--mantine-color-error)";

function Served({ of: { name } }: { readonly of: Provider }): ReactNode {
  const mayRead = mayDo(useMe(), "models.read");
  if (!mayRead) return null;
  return (
    <Section title="Models">
      <ModelTable
        provider={name}
        empty={<Text c="dimmed">It lists no model, or does not answer: test it to learn why.</Text>}
      />
    </Section>
  );
}

function Published({ of: { name, options } }: { readonly of: Provider }): ReactNode {
  const [path = "/"] = options.path_prefixes ?? [];
  return (
    <Section title="How it is called">
      <Text>
        What follows <b>/x/{name}</b> goes to the base URL as it is, with the credential put in.
      </Text>
      <Snippet
        label="The call with curl"
        text={`curl ${location.origin}/x/${name}${path} \\\n  -H "Authorization: Bearer $CLAVIGER_KEY"`}
      />
    </Section>
  );
}
