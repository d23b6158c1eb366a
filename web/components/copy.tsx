import { ActionIcon, Button, CopyButton as CopyState, Group, TextInput } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import type { ReactNode } from "react";

const SHOWN_MS = 2000;

/** Copies `value`; `label` says what that is. */
export function CopyButton(props: { readonly value: string; readonly label: string }): ReactNode {
  return (
    <CopyState value={props.value} timeout={SHOWN_MS}>
      {({ copied, copy }) => (
        <ActionIcon
          variant="subtle"
          color="gray"
          title={props.label}
          aria-label={copied ? "Copied" : props.label}
          onClick={copy}
        >
          {copied ? <IconCheck size={16} /> : <IconCopy size={16} />}
        </ActionIcon>
      )}
    </CopyState>
  );
}

/** A text to be copied whole, in a field of its own. */
export function CopyField(props: { readonly value: string; readonly label: string }): ReactNode {
  return (
    <Group align="flex-end" gap="xs" wrap="nowrap">
      <TextInput
        label={props.label}
        value={props.value}
        readOnly
        flex={1}
        styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
        onFocus={(event) => event.currentTarget.select()}
      />
      <CopyState value={props.value} timeout={SHOWN_MS}>
        {({ copied, copy }) => (
          <Button
            variant="default"
            onClick={copy}
            leftSection={copied ? <IconCheck size={16} /> : <IconCopy size={16} />}
          >
            {copied ? "Copied" : "Copy"}
          </Button>
        )}
      </CopyState>
    </Group>
  );
}
