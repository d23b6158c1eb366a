import { Alert, Button, Checkbox, Group, Stack } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { CopyField } from "./copy.tsx";
import { FormModal } from "./form-modal.tsx";

/** Shows a secret the server answers this once; it closes after the reader says that he saved it. */
export function SecretOnce(props: {
  readonly title: string;
  readonly label: string;
  readonly secret: string;
  readonly onClose: () => void;
  readonly children?: ReactNode;
}): ReactNode {
  const [isSaved, setSaved] = useState(false);
  return (
    <FormModal title={props.title} onClose={props.onClose} isGrave>
      <Stack>
        <Alert variant="outline" color="yellow.8" title="Shown this once">
          Nobody can show it again: the server keeps only what it takes to know it.
        </Alert>
        <CopyField label={props.label} value={props.secret} />
        {props.children}
        <Checkbox
          label="I saved it"
          checked={isSaved}
          onChange={(event) => setSaved(event.currentTarget.checked)}
        />
        <Group justify="flex-end">
          <Button disabled={!isSaved} onClick={props.onClose}>
            Done
          </Button>
        </Group>
      </Stack>
    </FormModal>
  );
}
