import { Alert, Checkbox, type CheckboxProps, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";

/** The warning that stands before every new key, and the word that it was heeded. */
export function SaveFirst(props: CheckboxProps): ReactNode {
  return (
    <Alert variant="outline" color="yellow.8" title="Save the new key before you set it">
      <Stack gap="sm">
        <Text size="sm">
          Put it where you find it if this machine is gone: in a password manager that two people can open, or
          on paper in a safe. Not on this machine, not beside its backups. Nobody can tell it to you later,
          and nobody opens the stored credentials without it.
        </Text>
        <Checkbox label="I saved the new key" {...props} />
      </Stack>
    </Alert>
  );
}
