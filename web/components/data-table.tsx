import { Box, Button, Center, Skeleton, Stack, Table, UnstyledButton, VisuallyHidden } from "@mantine/core";
import type { InfiniteData, UseInfiniteQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { Page } from "#lib/pages-of.ts";
import classes from "./data-table.module.css";
import { ProblemAlert } from "./problem-alert.tsx";
import { type RowAction, RowMenu } from "./row-menu.tsx";

const SKELETON_ROWS = ["first", "second", "third", "fourth"] as const;

export interface Column<Row> {
  readonly label: string;
  readonly render: (row: Row) => ReactNode;
  readonly align?: "right";
  /** Left out on screens narrower than this. */
  readonly from?: "xs" | "sm" | "md" | "lg";
  /** How the server calls the order by this column, where it has one. */
  readonly sortBy?: string;
}

export interface Sorting {
  readonly by: string;
  readonly direction: "ascending" | "descending";
  readonly onChange: (by: string) => void;
}

/**
 * A list of the API: while it loads, where it failed, where it is empty, and page by page. The server sorts and filters:
 * `sorting` tells by which column, `empty` why there is no row.
 */
export function DataTable<Row>(props: {
  readonly label: string;
  readonly query: UseInfiniteQueryResult<InfiniteData<Page<Row>>>;
  readonly columns: readonly Column<Row>[];
  readonly rowKey: (row: Row) => string;
  readonly rowName: (row: Row) => string;
  readonly actions?: (row: Row) => readonly RowAction[];
  readonly sorting?: Sorting;
  readonly empty: ReactNode;
}): ReactNode {
  const { query, label, columns } = props;
  const rows = query.data?.pages.flatMap(({ data }) => data) ?? [];
  if (query.isPending) return <LoadingRows label={label} />;
  if (query.data === undefined) return <ProblemAlert error={query.error} retry={query.refetch} />;
  if (rows.length === 0) return props.empty;
  return (
    <Stack gap="sm">
      <ProblemAlert error={query.error} retry={query.refetch} />
      {props.sorting !== undefined && <SortTold columns={columns} sorting={props.sorting} />}
      <Box
        role="region"
        aria-label={label}
        aria-busy={query.isPlaceholderData}
        tabIndex={0}
        // Positioned, so that what is hidden to the eye in it is scrolled with the rest, and widens no page.
        pos="relative"
        style={{ overflowX: "auto" }}
      >
        <Table verticalSpacing="xs" highlightOnHover aria-label={label}>
          <Table.Thead>
            <Table.Tr>
              {columns.map((column) => (
                <HeadCell key={column.label} column={column} sorting={props.sorting} />
              ))}
              {props.actions !== undefined && (
                <Table.Th w={48}>
                  <VisuallyHidden>Actions</VisuallyHidden>
                </Table.Th>
              )}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map((row) => (
              <Table.Tr key={props.rowKey(row)}>
                {columns.map((column) => (
                  <Table.Td key={column.label} {...placeOf(column)}>
                    {column.render(row)}
                  </Table.Td>
                ))}
                {props.actions !== undefined && (
                  <Table.Td className={classes.actions ?? ""}>
                    <RowMenu of={props.rowName(row)} actions={props.actions(row)} />
                  </Table.Td>
                )}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Box>
      {query.hasNextPage && (
        <Center>
          <Button
            variant="default"
            loading={query.isFetchingNextPage}
            onClick={() => void query.fetchNextPage()}
          >
            Show more
          </Button>
        </Center>
      )}
    </Stack>
  );
}

function HeadCell<Row>(props: {
  readonly column: Column<Row>;
  readonly sorting: Sorting | undefined;
}): ReactNode {
  const { column, sorting } = props;
  const { sortBy } = column;
  if (sortBy === undefined || sorting === undefined)
    return <Table.Th {...placeOf(column)}>{column.label}</Table.Th>;
  const isBy = sorting.by === sortBy;
  return (
    <Table.Th {...placeOf(column)} aria-sort={isBy ? sorting.direction : "none"}>
      <UnstyledButton fw="inherit" fz="inherit" onClick={() => sorting.onChange(sortBy)}>
        {/* A space that no line ends at: the arrow stays with its word. */}
        {column.label}
        {"\u00a0"}
        <span aria-hidden>{isBy ? (sorting.direction === "ascending" ? "↑" : "↓") : "↕"}</span>
      </UnstyledButton>
    </Table.Th>
  );
}

/** For who does not see the arrows: how the list is sorted now. */
function SortTold<Row>(props: {
  readonly columns: readonly Column<Row>[];
  readonly sorting: Sorting;
}): ReactNode {
  const { by, direction } = props.sorting;
  const column = props.columns.find(({ sortBy }) => sortBy === by);
  return (
    <VisuallyHidden aria-live="polite">
      {column === undefined ? "In its own order" : `Sorted by ${column.label}, ${direction}`}
    </VisuallyHidden>
  );
}

function placeOf<Row>({ align, from }: Column<Row>) {
  return { ...(align !== undefined && { ta: align }), ...(from !== undefined && { visibleFrom: from }) };
}

function LoadingRows(props: { readonly label: string }): ReactNode {
  return (
    <Stack gap="xs" aria-busy aria-label={`${props.label}: loading`} role="status">
      {SKELETON_ROWS.map((row) => (
        <Skeleton key={row} height={36} />
      ))}
    </Stack>
  );
}
