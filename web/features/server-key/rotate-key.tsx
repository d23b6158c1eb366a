import { Button, Group, SimpleGrid, Stack, Text } from "@mantine/core";
import { useForm } from "@mantine/form";
import type { ReactNode } from "react";
import { FormModal } from "#components/form-modal.tsx";
import { ProblemAlert } from "#components/problem-alert.tsx";
import { useRotateKey } from "./api/rotate-key.ts";
import { againFault, KeyInput, newKeyFault } from "./key-input.tsx";
import { keyRefusal, tellWrongKey } from "./key-refusal.ts";
import type { RotationEnd } from "./rotation-end.tsx";
import { SaveFirst } from "./save-first.tsx";

/** Asks for both keys, each twice, and exchanges them. */
export function RotateKey(props: {
  readonly onDone: (end: RotationEnd) => void;
  readonly onClose: () => void;
}): ReactNode {
  const rotate = useRotateKey();
  const form = useForm({
    initialValues: { current: "", currentAgain: "", next: "", nextAgain: "", saved: false },
    validate: {
      currentAgain: (again, { current }) => againFault(again, current),
      next: (next, { current }) => (next === current ? "That is the current key" : newKeyFault(next)),
      nextAgain: (again, { next }) => againFault(again, next),
      saved: (saved) => (saved ? null : "Save it first"),
    },
  });
  const submit = form.onSubmit(({ current, next }) =>
    rotate.mutate(
      { current_key: current, new_key: next },
      {
        onSuccess: (answer) => {
          props.onDone({ of: "rotation", answer });
          props.onClose();
        },
        onError: (error) => {
          tellWrongKey(error);
          const refusal = keyRefusal(error);
          if (refusal !== null) form.setFieldError(refusal.at, refusal.text);
        },
      },
    ),
  );
  return (
    <FormModal title="Rotate the server key" onClose={props.onClose}>
      <form onSubmit={submit}>
        <Stack>
          <Text>
            The new key holds at once, and the current one is refused. Then every stored credential is sealed
            anew, while the server goes on serving. A recovery key goes on unlocking.
          </Text>
          <SimpleGrid cols={{ base: 1, xs: 2 }}>
            <KeyInput label="Current key" data-autofocus {...form.getInputProps("current")} />
            <KeyInput label="Current key again" {...form.getInputProps("currentAgain")} />
            <KeyInput label="New key" {...form.getInputProps("next")} />
            <KeyInput label="New key again" {...form.getInputProps("nextAgain")} />
          </SimpleGrid>
          <Text size="sm" c="dimmed">
            At least 12 characters. Backups made until now open with the key of their day: keep that as long
            as them, and take a new backup afterwards.
          </Text>
          <SaveFirst {...form.getInputProps("saved", { type: "checkbox" })} />
          {keyRefusal(rotate.error) === null && <ProblemAlert error={rotate.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={props.onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={rotate.isPending}>
              Rotate
            </Button>
          </Group>
        </Stack>
      </form>
    </FormModal>
  );
}
