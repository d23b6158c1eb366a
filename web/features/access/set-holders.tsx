import { Anchor, Text } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useMe } from "#features/session/me.ts";
import { mayDo } from "#lib/permissions.ts";
import { listIdentities } from "./api/list-identities.ts";
import { listUsers } from "./api/list-users.ts";

/** The users and identities that have the set of this name, as far as the reader may see them. */
export function SetHolders({ name }: { readonly name: string }): ReactNode {
  const mayUsers = mayDo(useMe(), "users.manage");
  const users = useInfiniteQuery({ ...listUsers(), enabled: mayUsers }).data?.pages ?? [];
  const identities = useInfiniteQuery(listIdentities()).data?.pages ?? [];
  const people = users
    .flatMap(({ data }) => data)
    .filter(({ permissions }) => permissions.includes(name))
    .map(({ username }) => username);
  const programs = identities
    .flatMap(({ data }) => data)
    .filter(({ permissions }) => permissions.includes(name))
    .map((identity) => identity.name);
  return (
    <Text size="sm" style={{ overflowWrap: "anywhere" }}>
      {mayUsers && (
        <>
          <Anchor component={Link} to="/users" underline="always">
            Users
          </Anchor>
          : {people.join(", ") || "none"}.{" "}
        </>
      )}
      <Anchor component={Link} to="/identities" underline="always">
        Identities
      </Anchor>
      : {programs.join(", ") || "none"}.
    </Text>
  );
}
