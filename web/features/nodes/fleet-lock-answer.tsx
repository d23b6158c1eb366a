import { List } from "@mantine/core";
import type { ReactNode } from "react";
import type { Schemas } from "#lib/api-types.ts";
import { tellOutcome } from "#lib/tell.tsx";

type LockedNode = Schemas["LockedNode"];

const REASONS: Readonly<Record<NonNullable<LockedNode["reason"]>, string>> = {
  unreachable: "it did not answer within 5 seconds",
  needs_pin: "it has another PIN, and obeys none of this server's calls",
  no_server_key: "no server key is set there, so nothing could unlock it",
  refused: "it refused; its log says why",
};

/** Says which nodes are locked, and why others are not; it stays until it is closed. */
export function tellFleetLock(nodes: readonly LockedNode[]): void {
  const locked = nodes.filter((node) => node.locked).length;
  tellOutcome({
    title: `${locked} of ${nodes.length} ${nodes.length === 1 ? "node is" : "nodes are"} locked`,
    message: <Answers of={nodes} />,
    isWhole: locked === nodes.length,
  });
}

function Answers(props: { readonly of: readonly LockedNode[] }): ReactNode {
  return (
    <List size="sm">
      {props.of.map(({ id, name, reason }) => (
        <List.Item key={id}>
          {name}: {reason === null ? "locked" : `not locked, ${REASONS[reason]}`}
        </List.Item>
      ))}
    </List>
  );
}
