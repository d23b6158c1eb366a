import { Alert, Button, Code, Stack, Text } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { PageHeader } from "#components/page-header.tsx";
import { ProblemAlert } from "#components/problem-alert.tsx";
import { useMe } from "#features/session/me.ts";
import type { Schemas } from "#lib/api-types.ts";
import { useEventRefresh } from "#lib/events.ts";
import { mayDo } from "#lib/permissions.ts";
import { clusterStatus } from "./api/cluster-status.ts";
import { listNodes } from "./api/list-nodes.ts";
import type { Node } from "./columns.tsx";
import { LeaveCluster, LockFleet, RemoveNode } from "./end-membership.tsx";
import { JoiningPanel } from "./joining-panel.tsx";
import { MissingListener } from "./missing-listener.tsx";
import { NodeList } from "./node-list.tsx";
import { RenameNode } from "./rename-node.tsx";
import { StartCluster } from "./start-cluster.tsx";

/** Which window is open, and of which node. */
type Open = { readonly what: "lock" } | { readonly what: "rename" | "remove" | "leave"; readonly of: Node };

export default function NodesPage(): ReactNode {
  const me = useMe();
  const mayManage = mayDo(me, "cluster.manage");
  const cluster = useQuery(clusterStatus());
  const nodes = useInfiniteQuery(listNodes());
  const [open, setOpen] = useState<Open | null>(null);
  useEventRefresh(["node", "seal", "config"], [clusterStatus().queryKey, listNodes().queryKey]);
  const isMember = cluster.data?.status === "member";
  return (
    <>
      <PageHeader
        title="Cluster"
        about="The servers that one PIN makes one: how each of them is, and whether others may join."
      >
        {isMember && mayDo(me, "cluster.lock") && (
          <Button variant="default" onClick={() => setOpen({ what: "lock" })}>
            Lock all nodes
          </Button>
        )}
      </PageHeader>
      <Stack gap="lg">
        <ProblemAlert error={cluster.error} retry={cluster.refetch} />
        {isMember && (
          <NodeList
            query={nodes}
            actions={(of, isOwn) => {
              if (!mayManage) return [];
              if (!isOwn)
                return [{ label: "Remove…", run: () => setOpen({ what: "remove", of }), isGrave: true }];
              return [
                { label: "Rename…", run: () => setOpen({ what: "rename", of }) },
                { label: "Leave the cluster…", run: () => setOpen({ what: "leave", of }), isGrave: true },
              ];
            }}
          />
        )}
        {cluster.data !== undefined && <Standing cluster={cluster.data} mayManage={mayManage} />}
      </Stack>
      <OpenWindow
        open={open}
        count={nodes.data?.pages.flatMap(({ data }) => data).length ?? 1}
        onClose={() => setOpen(null)}
      />
    </>
  );
}

/** What this server is in, and how others come to it. */
function Standing(props: { readonly cluster: Schemas["Cluster"]; readonly mayManage: boolean }): ReactNode {
  const { cluster, mayManage } = props;
  const reach = cluster.join_urls.length === 0 && <MissingListener />;
  switch (cluster.status) {
    case "none":
      return (
        <>
          <StartCluster mayManage={mayManage} />
          {reach}
        </>
      );
    case "closed":
      return <ClosedCluster />;
    case "member":
      return (
        <>
          {reach}
          <JoiningPanel cluster={cluster} mayManage={mayManage} />
        </>
      );
    default:
      return cluster.status satisfies never;
  }
}

function ClosedCluster(): ReactNode {
  return (
    <Alert variant="outline" color="red.9" title="The credential files are not as they must be">
      <Text size="sm">
        A file of the cluster is missing, damaged or readable by others, so its routes are closed; all else is
        served. On the machine, <Code>claviger doctor</Code> names it and the repair, and{" "}
        <Code>claviger doctor --fix</Code> repairs modes and owners.
      </Text>
    </Alert>
  );
}

function OpenWindow(props: {
  readonly open: Open | null;
  readonly count: number;
  readonly onClose: () => void;
}): ReactNode {
  const { open, onClose } = props;
  if (open === null) return null;
  switch (open.what) {
    case "lock":
      return <LockFleet count={props.count} onClose={onClose} />;
    case "rename":
      return <RenameNode name={open.of.name} onClose={onClose} />;
    case "remove":
      return <RemoveNode of={open.of} onClose={onClose} />;
    case "leave":
      return <LeaveCluster name={open.of.name} onClose={onClose} />;
    default:
      return open satisfies never;
  }
}
