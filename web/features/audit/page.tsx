import { Stack } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { DataTable } from "#components/data-table.tsx";
import { EmptyState } from "#components/empty-state.tsx";
import { PageHeader } from "#components/page-header.tsx";
import { useTimeOrder } from "#components/use-sorting.ts";
import { useEventRefresh } from "#lib/events.ts";
import { auditChain } from "./api/audit-chain.ts";
import { type AuditRow, listAudit } from "./api/list-audit.ts";
import { Chain } from "./chain.tsx";
import { columnsOf } from "./columns.tsx";
import { Details } from "./details.tsx";
import { ExportMenu } from "./export-menu.tsx";
import { filterOf, NO_FILTER } from "./filter.ts";
import { FilterForm } from "./filter-form.tsx";

export default function AuditPage(): ReactNode {
  const [fields, setFields] = useState(NO_FILTER);
  const { order, sorting } = useTimeOrder();
  const [shown, setShown] = useState<AuditRow | null>(null);
  const filter = filterOf(fields);
  const query = useInfiniteQuery(listAudit(filter, order));
  useEventRefresh(["key", "node", "config", "seal"], [["audit"], auditChain().queryKey]);
  const isFiltered = Object.keys(filter).length > 0;
  return (
    <>
      <PageHeader
        title="Audit"
        about="Every change and every refusal: who, what, when and from where. A record that somebody changes is found out."
      >
        <ExportMenu filter={filter} />
      </PageHeader>
      <Stack gap="lg">
        <FilterForm initial={fields} onChange={setFields} />
        <DataTable
          label="Audit records"
          query={query}
          columns={columnsOf(setShown)}
          rowKey={({ chain, seq }) => `${chain} ${seq}`}
          rowName={({ action, seq }) => `${action}, record ${seq}`}
          sorting={sorting}
          empty={
            isFiltered ? (
              <EmptyState
                title="No record fits this filter"
                about="Each field wants the whole of what a record has there, as it is written in the list."
              />
            ) : (
              <EmptyState
                title="Nothing was recorded yet"
                about="Every change and every refusal will be listed here."
                command="claviger audit tail -f"
              />
            )
          }
        />
        <Chain />
      </Stack>
      {shown !== null && <Details of={shown} onClose={() => setShown(null)} />}
    </>
  );
}
