import { Button } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { DataTable } from "#components/data-table.tsx";
import { EmptyState } from "#components/empty-state.tsx";
import { PageHeader } from "#components/page-header.tsx";
import { useEventRefresh } from "#lib/events.ts";
import { listProviders } from "./api/list-providers.ts";
import { COLUMNS } from "./columns.tsx";
import { actionsOf, type Open, Windows } from "./windows.tsx";

export default function ProvidersPage(): ReactNode {
  const [open, setOpen] = useState<Open | null>(null);
  const query = useInfiniteQuery(listProviders());
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
      <DataTable
        label="Providers"
        query={query}
        columns={COLUMNS}
        rowKey={({ id }) => id}
        rowName={({ name }) => name}
        actions={(provider) => actionsOf(provider, setOpen)}
        empty={
          <EmptyState
            title="No provider yet"
            about="A provider is an upstream: OpenAI, Anthropic, an Ollama of your own, or any HTTP API. Its credential is sealed here, and programs use it without ever seeing it."
            action={add}
            command="claviger provider add openai"
          />
        }
      />
      <Windows open={open} onClose={() => setOpen(null)} />
    </>
  );
}
