import { Switch } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { type ReactNode, useMemo, useState } from "react";
import { DataTable } from "#components/data-table.tsx";
import { EmptyState } from "#components/empty-state.tsx";
import { PageHeader } from "#components/page-header.tsx";
import { useTimeOrder } from "#components/use-sorting.ts";
import { useEventRefresh } from "#lib/events.ts";
import { rangeNamed, startOf } from "#lib/ranges.ts";
import { type SearchWords, useSearchWords } from "#lib/search-words.ts";
import { listRequests, type RequestFilter, type RequestRow } from "./api/list-requests.ts";
import { columnsOf } from "./columns.tsx";
import { Filters } from "./filters.tsx";
import { RequestDetails } from "./request-details.tsx";

const REFRESH_EVERY_MS = 2000;

export default function RequestsPage(): ReactNode {
  const [words, changeWords] = useSearchWords();
  const [isLive, setLive] = useState(false);
  const [open, setOpen] = useState<RequestRow | null>(null);
  // The start of the period is part of what a page's cursor is good for: it stays until another is chosen.
  const from = useMemo(
    () => (words.range === undefined ? undefined : startOf(rangeNamed(words.range))),
    [words.range],
  );
  const filter = filterOf(words, from);
  const { order, sorting } = useTimeOrder();
  const list = listRequests(filter, order);
  const query = useInfiniteQuery(list);
  useEventRefresh(isLive ? ["usage"] : [], [list.queryKey], REFRESH_EVERY_MS);
  const columns = useMemo(() => columnsOf(setOpen), []);
  const isFiltered = Object.values(filter).some((each) => each !== undefined);
  return (
    <>
      <PageHeader
        title="Requests"
        about="Each request to a model: who asked, what it took and how it ended. Nothing of what was said is kept."
      >
        <Switch
          label="Live"
          description="Show new ones as they come"
          checked={isLive}
          onChange={(event) => {
            setLive(event.currentTarget.checked);
            if (event.currentTarget.checked) void query.refetch();
          }}
        />
      </PageHeader>
      <Filters words={words} onChange={changeWords} />
      <DataTable
        label="Requests"
        query={query}
        columns={columns}
        rowKey={({ time, request_id }) => `${time} ${request_id}`}
        rowName={({ request_id }) => request_id}
        sorting={sorting}
        empty={<NoRequests isFiltered={isFiltered} />}
      />
      {open !== null && <RequestDetails of={open} onClose={() => setOpen(null)} />}
    </>
  );
}

function filterOf(
  { status, model, provider, principal }: SearchWords,
  from: string | undefined,
): RequestFilter {
  return { status, model, provider, principal, from };
}

function NoRequests({ isFiltered }: { readonly isFiltered: boolean }): ReactNode {
  if (isFiltered)
    return (
      <EmptyState
        title="No request is like this"
        about="Names of models and providers are compared as a whole, a model with its provider before it. Take out a filter to see more."
      />
    );
  return (
    <EmptyState
      title="No request yet"
      about="Each request to a model stands here as soon as it has ended, with its tokens, its cost and its time. Give a program an API key and the address of this server."
      command="claviger usage requests --follow"
    />
  );
}
