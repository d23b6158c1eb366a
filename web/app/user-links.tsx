import { ActionIcon, Button } from "@mantine/core";
import { IconLogout, IconUser } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useSignOut } from "#features/session/api/sign-out.ts";
import { useMe } from "#features/session/me.ts";
import { tellProblem } from "#lib/tell.tsx";

/** The way to one's own profile, and out. */
export function UserLinks(): ReactNode {
  const { username } = useMe().user;
  const signOut = useSignOut();
  return (
    <>
      <Button
        component={Link}
        to="/profile"
        variant="subtle"
        color="gray"
        size="compact-md"
        title="Your profile"
        visibleFrom="sm"
      >
        {username}
      </Button>
      <ActionIcon
        component={Link}
        to="/profile"
        variant="subtle"
        color="gray"
        size="lg"
        aria-label="Your profile"
        title="Your profile"
        hiddenFrom="sm"
      >
        <IconUser size={18} />
      </ActionIcon>
      <ActionIcon
        variant="subtle"
        color="gray"
        size="lg"
        aria-label="Sign out"
        title="Sign out"
        loading={signOut.isPending}
        onClick={() => signOut.mutate(undefined, { onError: tellProblem })}
      >
        <IconLogout size={18} />
      </ActionIcon>
    </>
  );
}
