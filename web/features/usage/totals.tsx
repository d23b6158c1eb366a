import { Alert, Group, Skeleton, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { ProblemAlert } from "#components/problem-alert.tsx";
import { Quantity } from "#components/quantity.tsx";
import { Section } from "#components/section.tsx";
import type { UsageAsked } from "./api/list-usage.ts";
import { readTotals } from "./api/read-totals.ts";

/** All of the period, whatever page of the list is shown. */
export function Totals({ asked }: { readonly asked: UsageAsked }): ReactNode {
  const { data, error } = useQuery(readTotals(asked));
  if (data === undefined) return error === null ? <Skeleton height={92} /> : <ProblemAlert error={error} />;
  const { totals } = data;
  const figures = [
    ["Requests", <Quantity key="requests" value={totals.requests} unit="count" />],
    ["Input tokens", <Quantity key="in" value={totals.input_tokens} unit="tokens" />],
    ["Output tokens", <Quantity key="out" value={totals.output_tokens} unit="tokens" />],
    ["Cost", <Quantity key="cost" value={totals.cost_usd} unit="usd" none="not known" />],
  ] as const;
  return (
    <Section title="In all">
      <Group gap="xl">
        {figures.map(([label, shown]) => (
          <Stack key={label} gap={0}>
            <Text size="sm" c="dimmed">
              {label}
            </Text>
            <Text fz="lg" fw={600}>
              {shown}
            </Text>
          </Stack>
        ))}
      </Group>
      {totals.unpriced_requests > 0 && (
        <Text size="sm" c="dimmed">
          The cost is without {totals.unpriced_requests} requests whose price is not known. The setting prices
          says what they cost.
        </Text>
      )}
      {totals.estimated_requests > 0 && (
        <Text size="sm" c="dimmed">
          The tokens of {totals.estimated_requests} requests are estimates: their upstream did not tell.
        </Text>
      )}
      {!data.complete && (
        <Alert variant="outline" color="yellow.8" title="Older figures are still too low">
          Requests from before the upgrade are being summed.
        </Alert>
      )}
    </Section>
  );
}
