import { RouterProvider } from "@tanstack/react-router";
import { type ReactNode, useEffect } from "react";
import { MeContext } from "#features/session/me.ts";
import type { Schemas } from "#lib/api-types.ts";
import { tellEvent } from "#lib/events.ts";
import { followEvents } from "#lib/follow-events.ts";
import { mayDo } from "#lib/permissions.ts";
import { createAppRouter } from "./router.tsx";

const router = createAppRouter();

/** The pages, for who signed in, while the server is open. */
export default function Inside(props: { readonly me: Schemas["Me"] }): ReactNode {
  const mayFollow = mayDo(props.me, "events.read");
  useEffect(() => {
    if (!mayFollow) return;
    const stop = new AbortController();
    void followEvents(stop.signal, tellEvent);
    return () => stop.abort();
  }, [mayFollow]);
  return (
    <MeContext value={props.me}>
      <RouterProvider router={router} />
    </MeContext>
  );
}
