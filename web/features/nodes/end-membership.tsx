import { Code, List, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { ConfirmDestroy } from "#components/confirm-destroy.tsx";
import { tellDone, tellOutcome } from "#lib/tell.tsx";
import { useLeaveCluster } from "./api/leave-cluster.ts";
import { useLockFleet } from "./api/lock-fleet.ts";
import { useRemoveNode } from "./api/remove-node.ts";
import type { Node } from "./columns.tsx";

/** Asks before another server is taken off the list. */
export function RemoveNode(props: { readonly of: Node; readonly onClose: () => void }): ReactNode {
  const remove = useRemoveNode();
  const { id, name } = props.of;
  const act = async () => {
    await remove.mutateAsync(id);
    tellDone(`${name} is no node of the cluster any more.`);
  };
  return (
    <ConfirmDestroy title={`Remove ${name}?`} verb="Remove" typeName={name} act={act} onClose={props.onClose}>
      <Stack gap="xs">
        <Text>All members refuse its calls from then on. Only joining again brings it back.</Text>
        <Text>
          A device that was lost still has the PIN’s salt. Give the others a new one:{" "}
          <Code>claviger reset-pin --new-salt --propagate --except {name}</Code>
        </Text>
      </Stack>
    </ConfirmDestroy>
  );
}

/** Asks before this server leaves, and says afterwards who does not know of it. */
export function LeaveCluster(props: { readonly name: string; readonly onClose: () => void }): ReactNode {
  const leave = useLeaveCluster();
  const act = async () => {
    const { not_told: notTold } = await leave.mutateAsync();
    if (notTold.length === 0) return tellDone("This server is in no cluster any more.");
    const names = notTold.map(({ name }) => name).join(", ");
    tellOutcome({
      title: "This server is in no cluster any more",
      message: `Not reached: ${names}. They list this server as down until it is removed there.`,
      isWhole: false,
    });
  };
  return (
    <ConfirmDestroy
      title="Leave the cluster?"
      verb="Leave"
      typeName={props.name}
      act={act}
      onClose={props.onClose}
    >
      The other nodes are told, then the credential files of this server are removed. It keeps its users, keys
      and providers. Only the PIN brings it back.
    </ConfirmDestroy>
  );
}

/** Asks before all are locked. */
export function LockFleet(props: { readonly count: number; readonly onClose: () => void }): ReactNode {
  const lock = useLockFleet();
  return (
    <ConfirmDestroy
      title="Lock all nodes?"
      verb="Lock them all"
      act={() => lock.mutateAsync()}
      onClose={props.onClose}
    >
      <Stack gap="xs">
        <Text>This server first, then the others at once, {props.count} in all:</Text>
        <List size="sm">
          <List.Item>running answers end, and every request is refused,</List.Item>
          <List.Item>each is unlocked by itself, with its own server key,</List.Item>
          <List.Item>one without a server key is not locked.</List.Item>
        </List>
      </Stack>
    </ConfirmDestroy>
  );
}
