import { Paper, SimpleGrid, Skeleton, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { Quantity } from "#components/quantity.tsx";
import { shortQuantity, type Unit } from "#lib/units.ts";
import type { Figures } from "./api/read-overview.ts";
import { changeText } from "./change-text.ts";

interface Tile {
  readonly label: string;
  readonly unit: Unit;
  readonly of: (figures: Figures) => number | null;
  readonly note?: (figures: Figures) => string | null;
}

const TILES: readonly Tile[] = [
  { label: "Requests", unit: "count", of: ({ requests }) => requests },
  { label: "Answered with an error", unit: "share", of: errorRate, note: errorsNote },
  { label: "Cost", unit: "usd", of: ({ cost_usd }) => cost_usd, note: unpricedNote },
  { label: "Input tokens", unit: "tokens", of: ({ input_tokens }) => input_tokens },
  { label: "Output tokens", unit: "tokens", of: ({ output_tokens }) => output_tokens },
  { label: "Time to the first byte, median", unit: "ms", of: ({ first_byte_ms }) => first_byte_ms.p50 },
  { label: "Time to the end, median", unit: "ms", of: ({ latency_ms }) => latency_ms.p50 },
  { label: "Time to the end, 95 of 100", unit: "ms", of: ({ latency_ms }) => latency_ms.p95 },
];

/** The figures of a period, each beside that of the period before. Without figures, the place where they will be. */
export function Tiles(props: { readonly totals?: Figures; readonly before?: Figures }): ReactNode {
  const { totals, before } = props;
  return (
    <SimpleGrid cols={{ base: 2, lg: 4 }} spacing="sm" aria-busy={totals === undefined}>
      {TILES.map((tile) => (
        <Paper key={tile.label} withBorder p="md" role="group" aria-label={tile.label}>
          <Text size="sm" c="dimmed">
            {tile.label}
          </Text>
          {totals === undefined || before === undefined ? (
            <Skeleton height={52} mt={6} />
          ) : (
            <Figure tile={tile} totals={totals} before={before} />
          )}
        </Paper>
      ))}
    </SimpleGrid>
  );
}

function Figure(props: {
  readonly tile: Tile;
  readonly totals: Figures;
  readonly before: Figures;
}): ReactNode {
  const { tile, totals, before } = props;
  const then = tile.of(before);
  const change = changeText(tile.of(totals), then, tile.unit);
  const note = tile.note?.(totals) ?? null;
  return (
    <>
      <Text fz="1.6rem" fw={600} lh={1.3}>
        <Quantity value={tile.of(totals)} unit={tile.unit} />
      </Text>
      <Text size="xs" c="dimmed">
        {change === null || then === null
          ? "nothing to compare with"
          : `${change} (before: ${shortQuantity(then, tile.unit)})`}
        {note !== null && <br />}
        {note}
      </Text>
    </>
  );
}

function errorRate({ requests, errors }: Figures): number | null {
  return requests === 0 ? null : errors / requests;
}

function errorsNote({ client_errors, server_errors, errors }: Figures): string | null {
  return errors === 0 ? null : `${client_errors} by the caller (4xx), ${server_errors} by a server (5xx)`;
}

function unpricedNote({ unpriced_requests }: Figures): string | null {
  return unpriced_requests === 0 ? null : `without ${unpriced_requests} requests of no known price`;
}
