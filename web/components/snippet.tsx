import { Box, Code } from "@mantine/core";
import type { ReactNode } from "react";
import { CopyButton } from "./copy.tsx";

/** Lines for a terminal or a file, with a button that copies them. */
export function Snippet(props: { readonly text: string; readonly label?: string }): ReactNode {
  return (
    <Box pos="relative">
      <Code block pr={44} tabIndex={0} aria-label={props.label ?? "Example"}>
        {props.text}
      </Code>
      {/* Over a line that is longer than the box, and not to be read through. */}
      <Box pos="absolute" top={0} right={0} p={4} bg="var(--mantine-color-body)">
        <CopyButton value={props.text} label="Copy" />
      </Box>
    </Box>
  );
}
