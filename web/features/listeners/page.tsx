import { Alert, Stack, Text } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { DataTable } from "#components/data-table.tsx";
import { PageHeader } from "#components/page-header.tsx";
import { useEventRefresh } from "#lib/events.ts";
import { AddListener } from "./add-listener.tsx";
import { listListeners } from "./api/list-listeners.ts";
import { columnsOf } from "./columns.tsx";
import { Details } from "./details.tsx";

export default function ListenersPage(): ReactNode {
  const query = useInfiniteQuery(listListeners());
  const [opened, setOpened] = useState<string | null>(null);
  useEventRefresh(["config"], [listListeners().queryKey]);
  const listeners = query.data?.pages.flatMap(({ data }) => data) ?? [];
  const refused = query.data?.pages[0]?.refused ?? null;
  const shown = listeners.find(({ name }) => name === opened);
  return (
    <>
      <PageHeader
        title="Listeners"
        about="Where this server is reached, who gets in there, and what is served. Those of claviger.yaml are changed there."
      />
      <Stack>
        {refused !== null && <Refused reason={refused} />}
        <DataTable
          label="Listeners"
          query={query}
          columns={columnsOf(({ name }) => setOpened(name))}
          rowKey={({ name }) => name}
          rowName={({ name }) => name}
          empty={<Text c="dimmed">The server listens on its control socket alone.</Text>}
        />
        <AddListener sources={listeners.map(({ source }) => source)} />
      </Stack>
      {shown !== undefined && <Details of={shown} onClose={() => setOpened(null)} />}
    </>
  );
}

function Refused(props: { readonly reason: string }): ReactNode {
  return (
    <Alert variant="outline" color="yellow.8" title="The file is not in force as it is now">
      <Stack gap="xs">
        <Text size="sm" style={{ whiteSpace: "pre-line", overflowWrap: "anywhere" }}>
          {props.reason}
        </Text>
        <Text size="sm">What is open is what was before. Mend it, and save the file again.</Text>
      </Stack>
    </Alert>
  );
}
