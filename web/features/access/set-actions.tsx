import { Code, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import type { Schemas } from "#lib/api-types.ts";

type Held = Schemas["PermissionSet"]["actions"][number];

/** What a set allows, in words, each with what it allows that on. */
export function SetActions(props: { readonly of: Schemas["PermissionSet"] }): ReactNode {
  const { actions } = props.of;
  if (actions.length === 0)
    return <Text c="dimmed">Nothing: who has this set alone is refused everything.</Text>;
  return (
    <Stack component="ul" gap="xs" m={0} pl="lg">
      {actions.map((held) => (
        <li key={held.action}>
          <Text component="span" size="sm">
            {held.permits} <Where of={held} />
          </Text>{" "}
          <Code>{held.action}</Code>
        </li>
      ))}
    </Stack>
  );
}

function Where({ of: { on, except } }: { readonly of: Held }): ReactNode {
  const only = on.includes("*") ? "" : `on ${on.join(", ")} alone`;
  const but = except.length === 0 ? "" : `but not on ${except.join(", ")}`;
  return <b>{[only, but].filter((part) => part !== "").join(", ")}</b>;
}
