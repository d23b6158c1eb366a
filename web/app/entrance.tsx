import { Center, Loader, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { type ReactNode, useEffect } from "react";
import { ProblemAlert } from "#components/problem-alert.tsx";
import { keyStatus } from "#features/server-key/api/key-status.ts";
import { UnlockPage } from "#features/server-key/unlock-page.tsx";
import { whoAmI } from "#features/session/api/who-am-i.ts";
import { EntryCard } from "#features/session/entry-card.tsx";
import { MeContext } from "#features/session/me.ts";
import { MustChangePasswordPage } from "#features/session/must-change-password-page.tsx";
import { SignInPage } from "#features/session/sign-in-page.tsx";
import type { Schemas } from "#lib/api-types.ts";
import { followEvents } from "#lib/events.ts";
import { mayDo } from "#lib/permissions.ts";
import type { createAppRouter } from "./router.tsx";

/** What stands before the pages, in this order; the address stays, so that the page asked for is what follows. */
export function Entrance(props: { readonly router: ReturnType<typeof createAppRouter> }): ReactNode {
  const status = useQuery(keyStatus());
  const who = useQuery(whoAmI());
  if (status.data === undefined || who.data === undefined)
    return <Arriving error={status.error ?? who.error} />;
  const me = who.data;
  if (me === null) return <SignInPage isLocked={!status.data.unlocked} />;
  if (me.must_change_password) return <MustChangePasswordPage username={me.user.username} />;
  if (!status.data.unlocked) return <UnlockPage me={me} />;
  return <Inside me={me} router={props.router} />;
}

function Inside(props: {
  readonly me: Schemas["Me"];
  readonly router: ReturnType<typeof createAppRouter>;
}): ReactNode {
  const mayFollow = mayDo(props.me.user.permissions, "events.read");
  useEffect(() => {
    if (!mayFollow) return;
    const stop = new AbortController();
    void followEvents(stop.signal);
    return () => stop.abort();
  }, [mayFollow]);
  return (
    <MeContext value={props.me}>
      <RouterProvider router={props.router} />
    </MeContext>
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
