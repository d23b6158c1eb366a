import { Button } from "@mantine/core";
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { ConfirmDestroy } from "#components/confirm-destroy.tsx";
import { DataTable } from "#components/data-table.tsx";
import { EmptyState } from "#components/empty-state.tsx";
import { NothingFound } from "#components/nothing-found.tsx";
import { PageHeader } from "#components/page-header.tsx";
import type { RowAction } from "#components/row-menu.tsx";
import { useSorting } from "#components/use-sorting.ts";
import { useEventRefresh } from "#lib/events.ts";
import { useSearchWords } from "#lib/search-words.ts";
import { KEYS, listKeys } from "./api/list-keys.ts";
import { useRevokeKey } from "./api/revoke-key.ts";
import { COLUMNS } from "./columns.tsx";
import { CreateKey } from "./create-key.tsx";
import { EditKey } from "./edit-key.tsx";
import { Filters, filterIn } from "./filters.tsx";
import { type Key, keyState } from "./key-state.ts";
import { RotateKey } from "./rotate-key.tsx";

/** Which window is open, and of which key. */
type Open = { readonly what: "create" } | { readonly what: "edit" | "rotate" | "revoke"; readonly of: Key };

const SORTED_BY = ["name", "created_at", "last_used_at", "expires_at"] as const;

export default function KeysPage(): ReactNode {
  const [open, setOpen] = useState<Open | null>(null);
  const [words] = useSearchWords();
  const { sort, sorting } = useSorting({ columns: SORTED_BY, standard: "-created_at" });
  const filter = filterIn(words);
  const query = useInfiniteQuery({ ...listKeys({ ...filter, sort }), placeholderData: keepPreviousData });
  useEventRefresh(["key"], [KEYS]);
  const create = <Button onClick={() => setOpen({ what: "create" })}>New key</Button>;
  const isNarrowed = filter.search !== undefined || (filter.state ?? "in_force") !== "in_force";
  return (
    <>
      <PageHeader
        title="API keys"
        about="What programs present to this server. One for each says who uses what."
      >
        {create}
      </PageHeader>
      <Filters />
      <DataTable
        label="API keys"
        query={query}
        columns={COLUMNS}
        rowKey={({ id }) => id}
        rowName={({ name }) => name}
        sorting={sorting}
        actions={(key) => actionsOf(key, setOpen)}
        empty={
          isNarrowed ? (
            <NothingFound
              title="No key is like this"
              about="A search finds a part of a key's name or id, and how its text begins, in whichever case."
              clear={{ search: "", state: "all" }}
            />
          ) : (
            <EmptyState
              title="No key is in force"
              about="A program that uses this server presents a key of its own. It says who asks, holds that program's limits, and is revoked without stopping the others."
              action={create}
              command="claviger api-key create my-app --requests-per-minute 600"
            />
          )
        }
      />
      <OpenWindow open={open} onClose={() => setOpen(null)} />
    </>
  );
}

function actionsOf(of: Key, open: (window: Open) => void): readonly RowAction[] {
  const state = keyState(of, Date.now());
  if (state === "revoked") return [];
  return [
    { label: "Change…", run: () => open({ what: "edit", of }) },
    ...(state === "in force" ? [{ label: "Rotate…", run: () => open({ what: "rotate", of }) }] : []),
    { label: "Revoke…", run: () => open({ what: "revoke", of }), isGrave: true },
  ];
}

function OpenWindow(props: { readonly open: Open | null; readonly onClose: () => void }): ReactNode {
  const { open, onClose } = props;
  if (open === null) return null;
  switch (open.what) {
    case "create":
      return <CreateKey onClose={onClose} />;
    case "edit":
      return <EditKey of={open.of} onClose={onClose} />;
    case "rotate":
      return <RotateKey of={open.of} onClose={onClose} />;
    case "revoke":
      return <RevokeKey of={open.of} onClose={onClose} />;
    default:
      return open satisfies never;
  }
}

function RevokeKey(props: { readonly of: Key; readonly onClose: () => void }): ReactNode {
  const revoke = useRevokeKey();
  const { id, name } = props.of;
  return (
    <ConfirmDestroy
      title={`Revoke ${name}?`}
      verb="Revoke"
      act={() => revoke.mutateAsync(id)}
      onClose={props.onClose}
    >
      The next request with this key is refused, and its running answers end. It cannot be put back in force.
    </ConfirmDestroy>
  );
}
