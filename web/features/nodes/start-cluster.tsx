import { Button } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { EmptyState } from "#components/empty-state.tsx";
import { BeginCluster } from "./begin-cluster.tsx";
import { JoinCluster } from "./join-cluster.tsx";

/** What a cluster is, for a server in none: it begins one, or joins that of another. */
export function StartCluster(props: { readonly mayManage: boolean }): ReactNode {
  const [open, setOpen] = useState<"begin" | "join" | null>(null);
  const close = () => setOpen(null);
  const actions = (
    <Button.Group>
      <Button onClick={() => setOpen("begin")}>This is the first server</Button>
      <Button variant="default" onClick={() => setOpen("join")}>
        Join another
      </Button>
    </Button.Group>
  );
  return (
    <>
      <EmptyState
        title="This server is in no cluster"
        about="Servers on which the same PIN is typed see each other: each lists the others with their state and models, uses their models, and locks them all at once. Begin on one of them, then have the others join it."
        action={props.mayManage ? actions : "You may not begin or join one: that takes cluster.manage."}
        command="claviger cluster init"
      />
      {open === "begin" && <BeginCluster onClose={close} />}
      {open === "join" && <JoinCluster onClose={close} />}
    </>
  );
}
