import { Group, Text } from "@mantine/core";
import type { ReactNode } from "react";
import type { Schemas } from "#lib/api-types.ts";
import { LIMITS } from "#lib/limits.ts";
import { Quantity } from "./quantity.tsx";

/** The limits that are set, short, or that none is. */
export function Limits({ of: limits }: { readonly of: Schemas["KeyLimits"] }): ReactNode {
  const set = LIMITS.filter(({ name }) => limits[name] !== undefined);
  if (set.length === 0) return "none";
  return (
    <Group gap="xs">
      {set.map(({ name, unit, short }) => (
        <Text key={name} size="sm" component="span">
          <Quantity value={limits[name]} unit={unit} /> {short}
        </Text>
      ))}
    </Group>
  );
}
