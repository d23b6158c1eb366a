import { Box, SimpleGrid, Stack } from "@mantine/core";
import type { ReactNode } from "react";
import { PageHeader } from "#components/page-header.tsx";
import { Section } from "#components/section.tsx";
import { useMe } from "#features/session/me.ts";
import { PasswordForm } from "#features/session/password-form.tsx";
import { tellDone } from "#lib/tell.tsx";
import { SecondFactor } from "./second-factor.tsx";
import { Sessions } from "./sessions.tsx";

export default function ProfilePage(): ReactNode {
  const { user } = useMe();
  return (
    <>
      <PageHeader
        title="Profile"
        about={`Signed in as ${user.username}, with ${user.permissions.join(", ") || "no permission set"}`}
      />
      <Stack>
        <Sessions />
        <SimpleGrid cols={{ base: 1, lg: 2 }}>
          <Section title="Password">
            <PasswordForm
              username={user.username}
              onDone={() => tellDone("The password is changed; every other session has ended.")}
            />
          </Section>
          <Box>
            <SecondFactor />
          </Box>
        </SimpleGrid>
      </Stack>
    </>
  );
}
