import { Accordion, Button, Center, Code, Group, NativeSelect, Skeleton, Stack, Text } from "@mantine/core";
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { ListSearch } from "#components/list-search.tsx";
import { NothingFound } from "#components/nothing-found.tsx";
import { PageHeader } from "#components/page-header.tsx";
import { ProblemAlert } from "#components/problem-alert.tsx";
import { Section } from "#components/section.tsx";
import { Snippet } from "#components/snippet.tsx";
import { SourceBadge } from "#components/source-badge.tsx";
import { useSorting } from "#components/use-sorting.ts";
import type { Schemas } from "#lib/api-types.ts";
import { useEventRefresh } from "#lib/events.ts";
import { PERMISSION_SETS, permissionSets } from "#lib/permission-sets.ts";
import { useSearchWords } from "#lib/search-words.ts";
import { IDENTITIES } from "./api/list-identities.ts";
import { SetActions } from "./set-actions.tsx";
import { SetHolders } from "./set-holders.tsx";

const EXAMPLE = `resources:
  night-shift:
    resource_type: PermissionSet
    allow: ["gateway.use:openai/*", usage.read]
    deny: ["gateway.use:openai/o1*"]`;

const ORDERS = [
  { value: "source", label: "Built-in first" },
  { value: "name", label: "By name" },
  { value: "-name", label: "By name, from the end" },
];

export default function PermissionSetsPage(): ReactNode {
  const [{ search = "" }, change] = useSearchWords();
  const { sort } = useSorting({ columns: ["source", "name"], standard: "source" });
  const query = useInfiniteQuery({ ...permissionSets({ search, sort }), placeholderData: keepPreviousData });
  useEventRefresh(["config"], [PERMISSION_SETS, IDENTITIES]);
  const sets = query.data?.pages.flatMap(({ data }) => data);
  return (
    <>
      <PageHeader
        title="Permission sets"
        about="What users, API keys and identities may do. Nothing is allowed unless a set says so, and what one set denies no other allows."
      />
      <Stack>
        <Group align="flex-end" gap="sm">
          <ListSearch placeholder="A part of the name" />
          <NativeSelect
            label="Order"
            data={ORDERS}
            value={sort}
            onChange={(event) => change({ sort: event.currentTarget.value })}
          />
        </Group>
        <ProblemAlert error={query.error} retry={query.refetch} />
        {query.isPending && <Skeleton height={160} role="status" aria-label="Permission sets: loading" />}
        <Accordion variant="contained" order={2} multiple>
          {sets?.map((set) => (
            <OneSet key={set.name} of={set} />
          ))}
        </Accordion>
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
        {sets?.length === 0 && search !== "" && (
          <NothingFound
            title="No permission set has such a name"
            about="A search finds a part of a set's name, in whichever case."
            clear={{ search: "" }}
          />
        )}
        <Section title="A set of your own">
          <Text size="sm">
            It stands in <Code>claviger.yaml</Code>, and is in force as soon as the file is saved. One that is
            called as a built-in set takes its place.
          </Text>
          <Snippet label="A set in claviger.yaml" text={EXAMPLE} />
          <Text size="sm">This list at a terminal:</Text>
          <Snippet label="The same at a terminal" text="claviger config permission-sets" />
        </Section>
      </Stack>
    </>
  );
}

function OneSet({ of: set }: { readonly of: Schemas["PermissionSet"] }): ReactNode {
  const { name, source, actions } = set;
  return (
    <Accordion.Item value={name}>
      <Accordion.Control>
        <Group gap="xs">
          <Text fw={600} style={{ overflowWrap: "anywhere" }}>
            {name}
          </Text>
          <SourceBadge source={source} />
          <Text size="sm" c="dimmed">
            {actions.length === 1 ? "1 action" : `${actions.length} actions`}
          </Text>
        </Group>
      </Accordion.Control>
      <Accordion.Panel>
        <Stack>
          <SetActions of={set} />
          <SetHolders name={name} />
          {source === "file" && (
            <Text size="sm" c="dimmed">
              To change it, edit <Code>{name}</Code> in <Code>claviger.yaml</Code>.
            </Text>
          )}
        </Stack>
      </Accordion.Panel>
    </Accordion.Item>
  );
}
