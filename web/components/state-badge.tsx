import { Badge } from "@mantine/core";
import type { ReactNode } from "react";

const COLORS = { good: "green.9", warning: "yellow.7", bad: "red.8", neutral: "gray.6" } as const;

/** The state of a thing as a dot and a word. */
export function StateBadge(props: {
  readonly tone: keyof typeof COLORS;
  readonly children: ReactNode;
}): ReactNode {
  return (
    <Badge variant="dot" color={COLORS[props.tone]} tt="none" fw={500} miw="max-content">
      {props.children}
    </Badge>
  );
}
