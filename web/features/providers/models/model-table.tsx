import { Anchor, Group, Stack, Text } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { CopyButton } from "#components/copy.tsx";
import { type Column, DataTable } from "#components/data-table.tsx";
import { Quantity } from "#components/quantity.tsx";
import { useSorting } from "#components/use-sorting.ts";
import { useMe } from "#features/session/me.ts";
import type { Schemas } from "#lib/api-types.ts";
import { mayDo } from "#lib/permissions.ts";
import { tryLink } from "../try/try-link.ts";
import { listModels } from "./api/list-models.ts";

type Model = Schemas["Model"];

const FIGURES: readonly Column<Model>[] = [
  {
    label: "Context window",
    render: ({ context_window }) => <Quantity value={context_window} unit="tokens" none="unknown" />,
    align: "right",
    from: "sm",
    sortBy: "context_window",
  },
  {
    label: "Input, a million tokens",
    render: ({ input_usd_per_million }) => (
      <Quantity value={input_usd_per_million} unit="usd" none="unknown" />
    ),
    align: "right",
    sortBy: "input_usd_per_million",
    from: "md",
  },
  {
    label: "Output, a million tokens",
    render: ({ output_usd_per_million }) => (
      <Quantity value={output_usd_per_million} unit="usd" none="unknown" />
    ),
    align: "right",
    sortBy: "output_usd_per_million",
    from: "md",
  },
];

/** The models, of one provider or of all, with what is known of each; how they are sorted stands in the address. */
export function ModelTable(props: {
  readonly provider?: string;
  readonly search?: string;
  readonly empty: ReactNode;
}): ReactNode {
  const { provider, search = "" } = props;
  const { sort, sorting } = useSorting({
    columns: ["id", "context_window", "input_usd_per_million", "output_usd_per_million"],
    largestFirst: ["context_window"],
  });
  const query = useInfiniteQuery(listModels({ provider, search, sort }));
  const mayTry = mayDo(useMe(), "gateway.use");
  const tryIt: Column<Model> = {
    label: "Try",
    render: ({ id }) => (
      <Anchor component={Link} {...tryLink(id)} aria-label={`Try ${id}`}>
        Try
      </Anchor>
    ),
  };
  return (
    <DataTable
      label="Models"
      query={query}
      columns={[NAME, ...FIGURES, ...(mayTry ? [tryIt] : [])]}
      rowKey={({ id }) => id}
      rowName={({ id }) => id}
      sorting={sorting}
      empty={props.empty}
    />
  );
}

const NAME: Column<Model> = {
  label: "Model",
  sortBy: "id",
  render: ({ id, dialect }) => (
    <Stack gap={0}>
      <Group gap={4} wrap="nowrap">
        <Text fw={500} size="sm" style={{ overflowWrap: "anywhere" }}>
          {id}
        </Text>
        <CopyButton value={id} label={`Copy ${id}`} />
      </Group>
      <Text size="xs" c="dimmed">
        {dialect === "openai" ? "OpenAI's dialect" : "Anthropic's dialect"}
      </Text>
    </Stack>
  ),
};
