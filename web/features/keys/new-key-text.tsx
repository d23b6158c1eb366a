import { Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { SecretOnce } from "#components/secret-once.tsx";
import { Snippet } from "#components/snippet.tsx";
import type { Schemas } from "#lib/api-types.ts";

/** The text of a key that was just issued, and how a program is given it. */
export function NewKeyText(props: {
  readonly issued: Schemas["IssuedKey"];
  readonly onClose: () => void;
}): ReactNode {
  const { name, key } = props.issued;
  return (
    <SecretOnce title={`The key ${name}`} label="API key" secret={key} onClose={props.onClose}>
      <Stack gap={4}>
        <Text size="sm">Whatever speaks OpenAI's API is pointed here:</Text>
        <Snippet
          label="Environment of a program"
          text={`OPENAI_BASE_URL=${location.origin}/v1\nOPENAI_API_KEY=${key}`}
        />
      </Stack>
    </SecretOnce>
  );
}
