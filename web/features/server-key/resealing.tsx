import { Progress, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Quantity } from "#components/quantity.tsx";
import { Section } from "#components/section.tsx";
import { resealProgress } from "./api/reseal-progress.ts";

/** How far the re-sealing is while one runs, whoever began it. */
export function Resealing(): ReactNode {
  const { data } = useQuery(resealProgress());
  if (data?.running !== true) return null;
  const { done, total } = data;
  return (
    <Section title="Sealing anew">
      <Progress.Root size="lg">
        <Progress.Section
          value={total === 0 ? 0 : (100 * done) / total}
          aria-label="Stored credentials sealed anew"
        />
      </Progress.Root>
      <Text size="sm" c="dimmed">
        <Quantity value={done} unit="count" /> of <Quantity value={total} unit="count" /> stored values are
        sealed under the new key. The server serves meanwhile.
      </Text>
    </Section>
  );
}
