import { Alert, Code, SimpleGrid, Skeleton, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { lazy, type ReactNode, Suspense } from "react";
import { CopyField } from "#components/copy.tsx";
import { PageHeader } from "#components/page-header.tsx";
import { ProblemAlert } from "#components/problem-alert.tsx";
import { Section } from "#components/section.tsx";
import { useMe } from "#features/session/me.ts";
import { mayDo } from "#lib/permissions.ts";
import { rangeNamed } from "#lib/ranges.ts";
import { useSearchWords } from "#lib/search-words.ts";
import { serverInfo } from "./api/server-info.ts";

/** Chunks of their own: the frame of this page, which is the first that one sees, does not wait for them. */
const RangePicker = lazy(() => import("./range-picker.tsx"));
const UsageFigures = lazy(() => import("./usage-figures.tsx"));

export default function OverviewPage(): ReactNode {
  const info = useQuery(serverInfo());
  const [words, changeWords] = useSearchWords();
  const range = rangeNamed(words.range);
  const mayRead = mayDo(useMe(), "usage.read");
  return (
    <>
      <PageHeader
        title="Overview"
        about={info.data && `Claviger ${info.data.version}, node ${info.data.node_id}`}
      >
        {mayRead && (
          <Suspense fallback={<Skeleton w={250} h={36} />}>
            <RangePicker value={range} onChange={(value) => changeWords({ range: value })} />
          </Suspense>
        )}
      </PageHeader>
      <Stack>
        <ProblemAlert error={info.error} retry={info.refetch} />
        {info.data?.initialized === false && (
          <Alert variant="outline" color="yellow.8" title="No server key is set">
            Until one is, a file on the server opens the stored credentials: whoever copies its disk has them.
            Set one on the machine with <Code>claviger key init --recovery</Code>.
          </Alert>
        )}
        {mayRead && (
          <Suspense fallback={null}>
            <UsageFigures range={range} />
          </Suspense>
        )}
        <Section title="Point your programs here">
          <SimpleGrid cols={{ base: 1, md: 2 }}>
            <CopyField label="OpenAI's API" value={`${location.origin}/v1`} />
            <CopyField label="Anthropic's API" value={location.origin} />
          </SimpleGrid>
          <Text c="dimmed">Each presents an API key of its own in place of the provider's.</Text>
        </Section>
      </Stack>
    </>
  );
}
