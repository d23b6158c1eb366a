import { Button } from "@mantine/core";
import type { ReactNode } from "react";
import { EmptyState } from "#components/empty-state.tsx";

/** What it means that none is set, and the way to set one. */
export function NoKeyYet(props: { readonly set: () => void }): ReactNode {
  return (
    <EmptyState
      title="No server key is set yet"
      about="The stored credentials are sealed, but a file in the data directory opens them: whoever copies this machine's disk has them. With a server key that copy is worth nothing. In return the server waits, locked, after every start until somebody gives it the key."
      action={<Button onClick={props.set}>Set the server key…</Button>}
      command="claviger key init --recovery"
    />
  );
}
