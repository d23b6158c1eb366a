import { Button, Group, Stack, Text } from "@mantine/core";
import { useForm } from "@mantine/form";
import type { ReactNode } from "react";
import { FormModal } from "#components/form-modal.tsx";
import { ProblemAlert } from "#components/problem-alert.tsx";
import { KeyInput } from "./key-input.tsx";
import { keyRefusal, tellWrongKey } from "./key-refusal.ts";

/** Asks for the key in force, once; `submit` sends it, and is given what is to hear of a failure. */
export function OneKeyForm(props: {
  readonly title: string;
  readonly verb: string;
  readonly label: string;
  readonly error: unknown;
  readonly isPending: boolean;
  readonly submit: (key: string, failed: (error: unknown) => void) => void;
  readonly onClose: () => void;
  readonly children: ReactNode;
}): ReactNode {
  const form = useForm({ initialValues: { key: "" } });
  const failed = (error: unknown) => {
    tellWrongKey(error);
    form.setFieldError("key", keyRefusal(error)?.text ?? null);
  };
  return (
    <FormModal title={props.title} onClose={props.onClose}>
      <form onSubmit={form.onSubmit(({ key }) => props.submit(key, failed))}>
        <Stack>
          <Text>{props.children}</Text>
          <KeyInput label={props.label} data-autofocus {...form.getInputProps("key")} />
          {keyRefusal(props.error) === null && <ProblemAlert error={props.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={props.onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={props.isPending}>
              {props.verb}
            </Button>
          </Group>
        </Stack>
      </form>
    </FormModal>
  );
}
