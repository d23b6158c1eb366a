import { Badge, Button, Group, Text } from "@mantine/core";
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { type Column, DataTable } from "#components/data-table.tsx";
import { ListSearch } from "#components/list-search.tsx";
import { NothingFound } from "#components/nothing-found.tsx";
import { PageHeader } from "#components/page-header.tsx";
import type { RowAction } from "#components/row-menu.tsx";
import { StateBadge } from "#components/state-badge.tsx";
import { Time } from "#components/time.tsx";
import { useSorting } from "#components/use-sorting.ts";
import { useMe } from "#features/session/me.ts";
import { useSearchWords } from "#lib/search-words.ts";
import { AddUser } from "./add-user.tsx";
import { listUsers } from "./api/list-users.ts";
import { ChangePermissions } from "./change-permissions.tsx";
import { DropSecondFactor, RemoveUser } from "./end-user.tsx";
import { GivePassword } from "./give-password.tsx";
import { isLastOf, SUPERADMIN, type User } from "./user.ts";

/** Which window is open, and of whom. */
type Open =
  | { readonly what: "add" }
  | { readonly what: "permissions" | "password" | "factor" | "remove"; readonly of: User };

const COLUMNS: readonly Column<User>[] = [
  { label: "User", render: (user) => <UserName of={user} />, sortBy: "username" },
  { label: "Permission sets", render: ({ permissions }) => permissions.join(", ") || "none: may do nothing" },
  { label: "Password", render: (user) => <PasswordState of={user} />, from: "sm" },
  { label: "Second factor", render: ({ second_factor }) => <FactorState isOn={second_factor} />, from: "md" },
  {
    label: "Last sign-in",
    render: ({ last_signed_in_at }) => <Time at={last_signed_in_at} none="never" />,
    from: "xs",
    sortBy: "last_signed_in_at",
  },
  { label: "Since", render: ({ created_at }) => <Time at={created_at} />, from: "md", sortBy: "created_at" },
];
const SORTED_BY = ["username", "created_at", "last_signed_in_at"] as const;

export default function UsersPage(): ReactNode {
  const [open, setOpen] = useState<Open | null>(null);
  const [{ search = "" }] = useSearchWords();
  const { sort, sorting } = useSorting({ columns: SORTED_BY, standard: "username" });
  const query = useInfiniteQuery({ ...listUsers({ search, sort }), placeholderData: keepPreviousData });
  const mighty = useInfiniteQuery(listUsers({ permission_set: SUPERADMIN, limit: 2 }));
  const me = useMe().user.id;
  const superadmins = mighty.data?.pages.flatMap(({ data }) => data) ?? [];
  return (
    <>
      <PageHeader
        title="Users"
        about="People who sign in to this dashboard. Programs have API keys of their own instead."
      >
        <Button onClick={() => setOpen({ what: "add" })}>New user</Button>
      </PageHeader>
      <Group mb="md">
        <ListSearch placeholder="A part of the name" />
      </Group>
      <DataTable
        label="Users"
        query={query}
        columns={COLUMNS}
        rowKey={({ id }) => id}
        rowName={({ username }) => username}
        actions={(user) => actionsOf(user, { isMe: user.id === me, open: setOpen })}
        sorting={sorting}
        empty={
          search === "" ? (
            <Text>Nobody may sign in.</Text>
          ) : (
            <NothingFound
              title="No user has such a name"
              about="A search finds a part of a user's name or id, in whichever case."
              clear={{ search: "" }}
            />
          )
        }
      />
      <OpenWindow open={open} superadmins={superadmins} onClose={() => setOpen(null)} />
    </>
  );
}

function UserName({ of: user }: { readonly of: User }): ReactNode {
  const isMe = useMe().user.id === user.id;
  return (
    <Group gap="xs">
      <Text fw={500} style={{ overflowWrap: "anywhere" }}>
        {user.username}
      </Text>
      {isMe && (
        <Badge variant="outline" color="gray" tt="none">
          you
        </Badge>
      )}
    </Group>
  );
}

function PasswordState({ of: user }: { readonly of: User }): ReactNode {
  return user.must_change_password ? (
    <StateBadge tone="warning">to be changed</StateBadge>
  ) : (
    <StateBadge tone="good">own</StateBadge>
  );
}

function FactorState({ isOn }: { readonly isOn: boolean }): ReactNode {
  return <StateBadge tone={isOn ? "good" : "neutral"}>{isOn ? "on" : "off"}</StateBadge>;
}

/** One's own password and second factor are changed in the profile, where they are asked for. */
function actionsOf(
  of: User,
  { isMe, open }: { readonly isMe: boolean; readonly open: (window: Open) => void },
): readonly RowAction[] {
  const ofOthers: readonly RowAction[] = [
    { label: "Give another password…", run: () => open({ what: "password", of }) },
    { label: "Take second factor off…", run: () => open({ what: "factor", of }) },
  ];
  return [
    { label: "Change permission sets…", run: () => open({ what: "permissions", of }) },
    ...(isMe ? [] : ofOthers),
    { label: "Remove…", run: () => open({ what: "remove", of }), isGrave: true },
  ];
}

function OpenWindow(props: {
  readonly open: Open | null;
  readonly superadmins: readonly User[];
  readonly onClose: () => void;
}): ReactNode {
  const { open, superadmins, onClose } = props;
  if (open === null) return null;
  switch (open.what) {
    case "add":
      return <AddUser onClose={onClose} />;
    case "permissions":
      return <ChangePermissions of={open.of} isLast={isLastOf(superadmins, open.of)} onClose={onClose} />;
    case "password":
      return <GivePassword of={open.of} onClose={onClose} />;
    case "factor":
      return <DropSecondFactor of={open.of} onClose={onClose} />;
    case "remove":
      return <RemoveUser of={open.of} isLast={isLastOf(superadmins, open.of)} onClose={onClose} />;
    default:
      return open satisfies never;
  }
}
