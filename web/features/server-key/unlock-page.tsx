import { Alert, Button, Code, Group, PasswordInput, Stack, Text } from "@mantine/core";
import { useForm } from "@mantine/form";
import type { ReactNode } from "react";
import { ProblemAlert } from "#components/problem-alert.tsx";
import { useSignOut } from "#features/session/api/sign-out.ts";
import { EntryCard } from "#features/session/entry-card.tsx";
import { isProblem } from "#lib/api-problem.ts";
import type { Schemas } from "#lib/api-types.ts";
import { mayDo } from "#lib/permissions.ts";
import { useUnlockServer } from "./api/unlock-server.ts";
import { tellWrongKey } from "./key-refusal.ts";

/** What everybody sees while the server is locked. It goes by itself once somebody opened it, here or elsewhere. */
export function UnlockPage(props: { readonly me: Schemas["Me"] }): ReactNode {
  const signOut = useSignOut();
  const { username } = props.me.user;
  return (
    <EntryCard title="The server is locked">
      <Text>
        Its stored credentials are sealed, and it serves nobody, as after every start. This page goes on where
        you were as soon as it is unlocked, whoever does that.
      </Text>
      {mayDo(props.me, "settings.manage") ? <KeyForm /> : <AskAdministrator />}
      <Group justify="space-between">
        <Text size="sm" c="dimmed">
          Signed in as {username}
        </Text>
        <Button variant="subtle" size="compact-sm" onClick={() => signOut.mutate()}>
          Sign out
        </Button>
      </Group>
    </EntryCard>
  );
}

function KeyForm(): ReactNode {
  const unlock = useUnlockServer();
  const form = useForm({ initialValues: { key: "" } });
  const submit = form.onSubmit((body) => unlock.mutate(body, { onError: tellWrongKey }));
  if (isProblem(unlock.error, "forbidden")) return <AskAdministrator />;
  return (
    <form onSubmit={submit}>
      <Stack>
        <PasswordInput
          label="Server key"
          description="The server key, or the recovery key"
          autoComplete="off"
          required
          data-autofocus
          visibilityToggleButtonProps={{ "aria-label": "Show the key" }}
          {...form.getInputProps("key")}
          error={isProblem(unlock.error, "wrong_key") ? unlock.error.message : null}
        />
        {!isProblem(unlock.error, "wrong_key") && <ProblemAlert error={unlock.error} />}
        <Button type="submit" loading={unlock.isPending}>
          Unlock
        </Button>
        <Text size="sm" c="dimmed">
          On the machine itself: <Code>claviger key unlock</Code>
        </Text>
      </Stack>
    </form>
  );
}

function AskAdministrator(): ReactNode {
  return (
    <Alert variant="outline" color="yellow.8" title="An administrator must unlock it">
      You do not hold <Code>settings.manage</Code>. Ask somebody who does, or who can run{" "}
      <Code>claviger key unlock</Code> on the machine.
    </Alert>
  );
}
