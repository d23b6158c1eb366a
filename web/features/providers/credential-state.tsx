import { Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { StateBadge } from "#components/state-badge.tsx";
import type { Provider } from "./provider-terms.ts";

/** Whether a provider has what it presents to its upstream, and the ends of it. */
export function CredentialState({ of: provider }: { readonly of: Provider }): ReactNode {
  const { credentials, problems = [] } = provider;
  const hints = credentials.filter(({ hint }) => hint !== "").map(({ hint }) => `…${hint}`);
  return (
    <Stack gap={2} align="flex-start">
      <StateBadge tone={toneOf(provider)}>
        {problems.length > 0 ? "missing" : credentials.length > 0 ? "set" : "none"}
      </StateBadge>
      {hints.length > 0 && (
        <Text size="xs" c="dimmed" ff="monospace">
          {hints.slice(0, 3).join(" ")}
          {hints.length > 3 && ` and ${hints.length - 3} more`}
        </Text>
      )}
    </Stack>
  );
}

function toneOf({ credentials, problems = [], kind }: Provider) {
  if (problems.length > 0) return "bad";
  if (credentials.length > 0) return "good";
  return kind === "openai" || kind === "anthropic" ? "warning" : "neutral";
}
