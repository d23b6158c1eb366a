import { Button, Group } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { DataTable } from "#components/data-table.tsx";
import { EmptyState } from "#components/empty-state.tsx";
import { ListSearch } from "#components/list-search.tsx";
import { NothingFound } from "#components/nothing-found.tsx";
import { PageHeader } from "#components/page-header.tsx";
import { useSorting } from "#components/use-sorting.ts";
import { useEventRefresh } from "#lib/events.ts";
import { useSearchWords } from "#lib/search-words.ts";
import { listProviders, searchProviders } from "./api/list-providers.ts";
import { COLUMNS } from "./columns.tsx";
import { actionsOf, type Open, Windows } from "./windows.tsx";

export default function ProvidersPage(): ReactNode {
  const [open, setOpen] = useState<Open | null>(null);
  const [{ search = "" }] = useSearchWords();
  const { sort, sorting } = useSorting({ columns: ["name", "kind"] });
  const query = useInfiniteQuery(searchProviders({ sort, search }));
  useEventRefresh(["config"], [listProviders().queryKey]);
  const add = <Button onClick={() => setOpen({ what: "add" })}>New provider</Button>;
  return (
    <>
      <PageHeader
        title="Providers"
        about="The APIs this server stands in front of, and the credentials it holds for them."
      >
        {add}
      </PageHeader>
      <Group mb="md">
        <ListSearch placeholder="A part of the name or base URL" />
      </Group>
      <DataTable
        label="Providers"
        query={query}
        columns={COLUMNS}
        rowKey={({ id }) => id}
        rowName={({ name }) => name}
        sorting={sorting}
        actions={(provider) => actionsOf(provider, setOpen)}
        empty={
          search === "" ? (
            <NoProviders add={add} />
          ) : (
            <NothingFound
              title="No provider is like this"
              about="A provider is found by a part of its name here or of its base URL."
              clear={{ search: "" }}
            />
          )
        }
      />
      <Windows open={open} onClose={() => setOpen(null)} />
    </>
  );
}

function NoProviders({ add }: { readonly add: ReactNode }): ReactNode {
  return (
    <EmptyState
      title="No provider yet"
      about="A provider is an upstream: OpenAI, Anthropic, an Ollama of your own, or any HTTP API. Its credential is sealed here, and programs use it without ever seeing it."
      action={add}
      command="claviger provider add openai"
    />
  );
}
