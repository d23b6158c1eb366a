import { Group, Input, SegmentedControl, Stack, TextInput } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { type ReactNode, useMemo } from "react";
import { DataTable } from "#components/data-table.tsx";
import { EmptyState } from "#components/empty-state.tsx";
import { PageHeader } from "#components/page-header.tsx";
import { useSorting } from "#components/use-sorting.ts";
import { useSearchWords } from "#lib/search-words.ts";
import { listUsage } from "./api/list-usage.ts";
import { readTotals } from "./api/read-totals.ts";
import { columnsOf, nameOf } from "./columns.tsx";
import { ExportCsv } from "./export-csv.tsx";
import { Totals } from "./totals.tsx";
import { askedFor, GROUPS, shownBy } from "./usage-period.ts";

const FIGURES = ["requests", "input_tokens", "output_tokens", "cost_usd"] as const;

export default function UsagePage(): ReactNode {
  const [words, changeWords] = useSearchWords();
  const shown = shownBy(words, Date.now());
  const asked = askedFor(shown);
  const { sort = "name", sorting } = useSorting({
    columns: ["name", ...FIGURES],
    standard: "name",
    largestFirst: FIGURES,
  });
  const query = useInfiniteQuery(listUsage(asked, sort));
  const totalUsd = useQuery(readTotals(asked)).data?.totals.cost_usd ?? null;
  const columns = useMemo(() => columnsOf(shown.by, totalUsd), [shown.by, totalUsd]);
  return (
    <>
      <PageHeader
        title="Usage"
        about="What was used and what it cost, by day, model, key or provider. Days are those of UTC."
      >
        <ExportCsv asked={asked} sort={sort} />
      </PageHeader>
      <Stack>
        <Group align="flex-end" gap="sm">
          <Stack gap={4}>
            <Input.Label component="div">Sums by</Input.Label>
            <SegmentedControl
              aria-label="Sums by"
              data={GROUPS.map(({ value, label }) => ({ value, label }))}
              value={shown.by}
              onChange={(by) => changeWords({ by })}
            />
          </Stack>
          <TextInput
            label="First day"
            type="date"
            value={shown.first}
            onChange={(event) => changeWords({ first: event.currentTarget.value })}
          />
          <TextInput
            label="Last day"
            type="date"
            value={shown.last}
            onChange={(event) => changeWords({ last: event.currentTarget.value })}
          />
        </Group>
        <Totals asked={asked} />
        <DataTable
          label={`Usage by ${shown.by}`}
          query={query}
          columns={columns}
          rowKey={(row) => row[shown.by] ?? ""}
          rowName={(row) => nameOf(row, shown.by)}
          sorting={sorting}
          empty={
            <EmptyState
              title="Nothing was used on these days"
              about="Every request to a model is summed by day, with its tokens and its cost. Choose earlier days, or send a first request."
              command={`claviger usage --by ${shown.by} --from ${asked.from} --to ${asked.to}`}
            />
          }
        />
      </Stack>
    </>
  );
}
