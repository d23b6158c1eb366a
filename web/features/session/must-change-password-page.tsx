import { Button, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { useSignOut } from "./api/sign-out.ts";
import { EntryCard } from "./entry-card.tsx";
import { PasswordForm } from "./password-form.tsx";

/** What stands before everything else for who signed in by a password that somebody else knows. */
export function MustChangePasswordPage(props: { readonly username: string }): ReactNode {
  const signOut = useSignOut();
  return (
    <EntryCard title="Set a password of your own">
      <Text>
        You signed in as {props.username} with a password that is good once. Set your own; all else follows.
      </Text>
      <PasswordForm username={props.username} />
      <Button variant="subtle" onClick={() => signOut.mutate()}>
        Sign out
      </Button>
    </EntryCard>
  );
}
