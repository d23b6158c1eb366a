import { Button, Group, Select, Stack, Text } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { FormModal } from "#components/form-modal.tsx";
import { ProblemAlert } from "#components/problem-alert.tsx";
import { useRotateKey } from "./api/rotate-key.ts";
import type { Key } from "./key-state.ts";
import { NewKeyText } from "./new-key-text.tsx";

const OVERLAPS = [
  { value: "0", label: "None: the old key ends now" },
  { value: "1h", label: "1 hour" },
  { value: "24h", label: "24 hours" },
  { value: "7d", label: "7 days" },
  { value: "30d", label: "30 days" },
];

/** Issues a successor, and shows its text this once. */
export function RotateKey(props: { readonly of: Key; readonly onClose: () => void }): ReactNode {
  const rotate = useRotateKey(props.of.id);
  const [overlap, setOverlap] = useState("24h");
  if (rotate.data !== undefined) return <NewKeyText issued={rotate.data} onClose={props.onClose} />;
  return (
    <FormModal title={`Rotate ${props.of.name}`} onClose={props.onClose}>
      <Stack>
        <Text>
          A successor with the same name, rights and limits is made. Both keys hold until the overlap is over;
          the limits count them as one. The list shows who still uses the old one.
        </Text>
        <Select
          label="Overlap"
          data={OVERLAPS}
          value={overlap}
          allowDeselect={false}
          onChange={(value) => setOverlap(value ?? overlap)}
          data-autofocus
        />
        <ProblemAlert error={rotate.error} />
        <Group justify="flex-end">
          <Button variant="default" onClick={props.onClose}>
            Cancel
          </Button>
          <Button loading={rotate.isPending} onClick={() => rotate.mutate({ overlap })}>
            Rotate
          </Button>
        </Group>
      </Stack>
    </FormModal>
  );
}
