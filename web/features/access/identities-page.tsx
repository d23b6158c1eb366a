import { Anchor, Code, Group, Stack, Text } from "@mantine/core";
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { type Column, DataTable } from "#components/data-table.tsx";
import { EmptyState } from "#components/empty-state.tsx";
import { Limits } from "#components/limits.tsx";
import { ListSearch } from "#components/list-search.tsx";
import { NothingFound } from "#components/nothing-found.tsx";
import { PageHeader } from "#components/page-header.tsx";
import { Snippet } from "#components/snippet.tsx";
import { SourceBadge } from "#components/source-badge.tsx";
import { StateBadge } from "#components/state-badge.tsx";
import { Time } from "#components/time.tsx";
import { useSorting } from "#components/use-sorting.ts";
import { useMe } from "#features/session/me.ts";
import type { Schemas } from "#lib/api-types.ts";
import { useEventRefresh } from "#lib/events.ts";
import { useNow } from "#lib/now.ts";
import { mayDo } from "#lib/permissions.ts";
import { useSearchWords } from "#lib/search-words.ts";
import { IDENTITIES, listIdentities } from "./api/list-identities.ts";

type Identity = Schemas["Identity"];

const EXAMPLE = `resources:
  till:
    resource_type: Identity
    credential:
      api_key: HASH
    permissions: gateway`;

const COLUMNS: readonly Column<Identity>[] = [
  { label: "Name", render: (identity) => <IdentityName of={identity} />, sortBy: "name" },
  { label: "State", render: ({ expires_at }) => <State endsAt={expires_at} /> },
  { label: "May", render: (identity) => <May of={identity} />, from: "sm" },
  { label: "Limits", render: ({ limits }) => <Limits of={limits} />, from: "lg" },
  {
    label: "Ends",
    render: ({ expires_at }) => <Time at={expires_at} none="never" />,
    from: "md",
    sortBy: "expires_at",
  },
  {
    label: "Last used",
    render: ({ last_used_at }) => <Time at={last_used_at} none="never" />,
    from: "xs",
    sortBy: "last_used_at",
  },
];
const SORTED_BY = ["name", "last_used_at", "expires_at"] as const;

export default function IdentitiesPage(): ReactNode {
  const [{ search = "" }] = useSearchWords();
  const { sort, sorting } = useSorting({ columns: SORTED_BY, standard: "name" });
  const query = useInfiniteQuery({ ...listIdentities({ search, sort }), placeholderData: keepPreviousData });
  const mayKeys = mayDo(useMe(), "keys.manage");
  useEventRefresh(["config"], [IDENTITIES]);
  return (
    <>
      <PageHeader
        title="Identities"
        about={
          <>
            Programs that claviger.yaml lets in, beside the{" "}
            {mayKeys ? (
              <Anchor component={Link} to="/keys" underline="always">
                API keys
              </Anchor>
            ) : (
              "API keys"
            )}{" "}
            issued here. Each proves itself by the key whose hash stands in that file; to change one, edit it
            there.
          </>
        }
      />
      <Group mb="md">
        <ListSearch placeholder="A part of the name or the id" />
      </Group>
      <DataTable
        label="Identities"
        query={query}
        columns={COLUMNS}
        rowKey={({ id }) => id}
        rowName={({ name }) => name}
        sorting={sorting}
        empty={
          search === "" ? (
            <NoIdentity />
          ) : (
            <NothingFound
              title="No identity has such a name"
              about="A search finds a part of an identity's name or id, in whichever case."
              clear={{ search: "" }}
            />
          )
        }
      />
    </>
  );
}

function NoIdentity(): ReactNode {
  return (
    <EmptyState
      title="The file declares no identity"
      about="An identity is a program that is known before the server first runs: the file has the hash of its key, so it can stand beside the rest of the configuration. Make a key and its hash, and put that into claviger.yaml; it holds as soon as the file is saved."
      action={<Snippet label="An identity in claviger.yaml" text={EXAMPLE} />}
      command="claviger api-key generate"
    />
  );
}

function IdentityName({ of: { name, id, source } }: { readonly of: Identity }): ReactNode {
  return (
    <Stack gap={2}>
      <Group gap="xs">
        <Text fw={500} style={{ overflowWrap: "anywhere" }}>
          {name}
        </Text>
        <SourceBadge source={source} />
      </Group>
      {id !== name && (
        <Text size="xs" c="dimmed">
          in audit and usage <Code>{id}</Code>
        </Text>
      )}
    </Stack>
  );
}

function State({ endsAt }: { readonly endsAt: string | null }): ReactNode {
  const now = useNow();
  const isOver = endsAt !== null && Date.parse(endsAt) <= now;
  return isOver ? (
    <StateBadge tone="neutral">expired</StateBadge>
  ) : (
    <StateBadge tone="good">in force</StateBadge>
  );
}

function May({ of: { permissions, allowed_ips } }: { readonly of: Identity }): ReactNode {
  return (
    <Stack gap={2}>
      <Text size="sm">{permissions.join(", ") || "nothing"}</Text>
      <Text size="xs" c="dimmed">
        {allowed_ips.length === 0 ? "from anywhere" : `from ${allowed_ips.join(", ")}`}
      </Text>
    </Stack>
  );
}
