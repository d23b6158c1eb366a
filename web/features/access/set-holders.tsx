import { Anchor, Text } from "@mantine/core";
import { type InfiniteData, type UseInfiniteQueryResult, useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useMe } from "#features/session/me.ts";
import type { Page } from "#lib/pages-of.ts";
import { mayDo } from "#lib/permissions.ts";
import { listIdentities } from "./api/list-identities.ts";
import { listUsers } from "./api/list-users.ts";

/** The users and identities that have the set of this name, as far as the reader may see them. */
export function SetHolders({ name }: { readonly name: string }): ReactNode {
  const mayUsers = mayDo(useMe(), "users.manage");
  const users = useInfiniteQuery({ ...listUsers({ permission_set: name }), enabled: mayUsers });
  const identities = useInfiniteQuery(listIdentities({ permission_set: name }));
  const people = namesOf(users, ({ username }) => username);
  const programs = namesOf(identities, (identity) => identity.name);
  return (
    <Text size="sm" style={{ overflowWrap: "anywhere" }}>
      {mayUsers && (
        <>
          <Anchor component={Link} to="/users" underline="always">
            Users
          </Anchor>
          : {people}.{" "}
        </>
      )}
      <Anchor component={Link} to="/identities" underline="always">
        Identities
      </Anchor>
      : {programs}.
    </Text>
  );
}

/** The first of them; of a great many nobody reads all. */
function namesOf<Row>(
  { data, hasNextPage }: UseInfiniteQueryResult<InfiniteData<Page<Row>>>,
  nameOf: (row: Row) => string,
): string {
  const names = data?.pages.flatMap((page) => page.data.map(nameOf)) ?? [];
  return `${names.join(", ") || "none"}${hasNextPage ? " and more" : ""}`;
}
