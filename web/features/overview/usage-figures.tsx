import { Alert, Group, SegmentedControl, SimpleGrid, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { ProblemAlert } from "#components/problem-alert.tsx";
import { useEventRefresh } from "#lib/events.ts";
import type { Range } from "#lib/ranges.ts";
import type { Metric } from "./api/list-top.ts";
import { readOverview } from "./api/read-overview.ts";
import { CHARTS } from "./chart-kinds.ts";
import { ChartSection } from "./chart-section.tsx";
import { NoRequests } from "./no-requests.tsx";
import { Tiles } from "./tiles.tsx";
import { TopSection, WHO_AND_WHAT } from "./top-section.tsx";

const REFRESH_EVERY_MS = 2000;
const METRICS: readonly { readonly value: Metric; readonly label: string }[] = [
  { value: "requests", label: "Requests" },
  { value: "tokens", label: "Tokens" },
  { value: "cost", label: "Cost" },
  { value: "errors", label: "Errors" },
];

/** What was used over the range, kept current while requests come. */
export default function UsageFigures({ range }: { readonly range: Range }): ReactNode {
  const query = useQuery(readOverview(range));
  useEventRefresh(["usage"], [["overview"]], REFRESH_EVERY_MS);
  const overview = query.data;
  if (overview === undefined)
    return query.error === null ? <Tiles /> : <ProblemAlert error={query.error} retry={query.refetch} />;
  if (overview.totals.requests === 0 && overview.before.requests === 0) return <NoRequests range={range} />;
  return (
    <Stack aria-busy={query.isPlaceholderData}>
      <ProblemAlert error={query.error} retry={query.refetch} />
      {!overview.complete && (
        <Alert variant="outline" color="yellow.8" title="Older figures are still too low">
          Requests from before the upgrade are being summed.
        </Alert>
      )}
      <Tiles totals={overview.totals} before={overview.before} />
      <Text size="sm" c="dimmed">
        The last {range.words}, beside the {range.words} before.
      </Text>
      <SimpleGrid cols={{ base: 1, lg: 2 }}>
        {CHARTS.map((kind) => (
          <ChartSection key={kind.title} kind={kind} overview={overview} />
        ))}
      </SimpleGrid>
      <Most range={range} />
    </Stack>
  );
}

function Most({ range }: { readonly range: Range }): ReactNode {
  const [metric, setMetric] = useState<Metric>("requests");
  return (
    <Stack gap="sm">
      <Group gap="sm">
        <Text size="sm">The most by</Text>
        <SegmentedControl aria-label="The most by" data={[...METRICS]} value={metric} onChange={setMetric} />
      </Group>
      <SimpleGrid cols={{ base: 1, lg: 2 }}>
        {WHO_AND_WHAT.map(({ title, kinds }) => (
          <TopSection key={title} title={title} kinds={kinds} range={range} metric={metric} />
        ))}
      </SimpleGrid>
    </Stack>
  );
}
