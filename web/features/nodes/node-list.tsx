import { Alert, Code, Stack, Text } from "@mantine/core";
import type { InfiniteData, UseInfiniteQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { DataTable } from "#components/data-table.tsx";
import type { RowAction } from "#components/row-menu.tsx";
import type { Page } from "#lib/pages-of.ts";
import { columnsFor, type Node } from "./columns.tsx";

/** The servers of the cluster, and what to do for one that has another PIN. */
export function NodeList(props: {
  readonly query: UseInfiniteQueryResult<InfiniteData<Page<Node>>>;
  readonly actions: (node: Node, isOwn: boolean) => readonly RowAction[];
}): ReactNode {
  const nodes = props.query.data?.pages.flatMap(({ data }) => data) ?? [];
  // The server that is asked comes first.
  const ownId = nodes[0]?.id;
  const behind = nodes.filter(({ state }) => state === "needs_pin").map(({ name }) => name);
  return (
    <Stack gap="sm">
      {behind.length > 0 && (
        <Alert variant="outline" color="yellow.8" title={`Another PIN: ${behind.join(", ")}`}>
          <Text size="sm">
            Type the present PIN there with <Code>claviger reset-pin</Code>, or here with{" "}
            <Code>claviger reset-pin --propagate</Code>, which gives it to all that are reached.
          </Text>
        </Alert>
      )}
      <DataTable
        label="Nodes"
        query={props.query}
        columns={columnsFor(ownId)}
        rowKey={({ id }) => id}
        rowName={({ name }) => name}
        actions={(node) => props.actions(node, node.id === ownId)}
        empty={<Text c="dimmed">No node is listed.</Text>}
      />
    </Stack>
  );
}
