import { Center, Loader, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { lazy, type ReactNode, Suspense } from "react";
import { ProblemAlert } from "#components/problem-alert.tsx";
import { keyStatus } from "#features/server-key/api/key-status.ts";
import { UnlockPage } from "#features/server-key/unlock-page.tsx";
import { whoAmI } from "#features/session/api/who-am-i.ts";
import { EntryCard } from "#features/session/entry-card.tsx";
import { MustChangePasswordPage } from "#features/session/must-change-password-page.tsx";
import { SignInPage } from "#features/session/sign-in-page.tsx";

/** Its own chunk: who signs in does not wait for it. */
const Inside = lazy(() => import("./inside.tsx"));

/** What stands before the pages, in this order; the address stays, so that the page asked for is what follows. */
export function Entrance(): ReactNode {
  const status = useQuery(keyStatus());
  const who = useQuery(whoAmI());
  if (status.data === undefined || who.data === undefined)
    return <Arriving error={status.error ?? who.error} />;
  const me = who.data;
  if (me === null) return <SignInPage isLocked={!status.data.unlocked} />;
  if (me.must_change_password) return <MustChangePasswordPage username={me.user.username} />;
  if (!status.data.unlocked) return <UnlockPage me={me} />;
  return (
    <Suspense fallback={<Arriving error={null} />}>
      <Inside me={me} />
    </Suspense>
  );
}

function Arriving(props: { readonly error: unknown }): ReactNode {
  if (props.error === null)
    return (
      <Center mih="100dvh" component="main" aria-busy>
        <Loader aria-label="Loading" />
      </Center>
    );
  return (
    <EntryCard title="Waiting for the server">
      <ProblemAlert error={props.error} />
      <Text size="sm" c="dimmed">
        This page asks again by itself.
      </Text>
    </EntryCard>
  );
}
