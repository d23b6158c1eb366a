import { SegmentedControl, Stack, Text } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { Snippet } from "#components/snippet.tsx";
import { SNIPPETS } from "./snippets.ts";

/** How a program is pointed at this server; `model` is one that programs may name here. */
export function ToolSnippet(props: { readonly model: string }): ReactNode {
  const [tool, setTool] = useState<string>("curl");
  const chosen = SNIPPETS.find((each) => each.tool === tool) ?? SNIPPETS[0];
  return (
    <Stack gap="sm">
      <SegmentedControl
        aria-label="Which tool"
        orientation="horizontal"
        style={{ flexWrap: "wrap" }}
        data={SNIPPETS.map(({ tool: value, label }) => ({ value, label }))}
        value={tool}
        onChange={setTool}
      />
      <Snippet
        label={`Settings for ${chosen.label}`}
        text={chosen.text({ url: location.origin, model: props.model })}
      />
      <Text size="sm" c="dimmed">
        {tool === "connect"
          ? "On the server it prints the settings of every program it knows, Cursor, aider and Open WebUI among them."
          : "CLAVIGER_KEY is the API key that was shown once."}
      </Text>
    </Stack>
  );
}
