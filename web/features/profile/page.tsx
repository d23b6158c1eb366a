import { Paper, Stack, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { PageHeader } from "#components/page-header.tsx";
import { useMe } from "#features/session/me.ts";
import { PasswordForm } from "#features/session/password-form.tsx";
import { tellDone } from "#lib/tell.tsx";

export default function ProfilePage(): ReactNode {
  const { user } = useMe();
  return (
    <>
      <PageHeader
        title="Profile"
        about={`${user.username}, ${user.permissions.join(", ") || "no permission set"}`}
      />
      <Paper withBorder p="lg" maw={480}>
        <Stack>
          <Title order={2} size="h4">
            Password
          </Title>
          <PasswordForm username={user.username} onDone={() => tellDone("The password is changed.")} />
        </Stack>
      </Paper>
    </>
  );
}
