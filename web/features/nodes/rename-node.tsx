import { Button, Group, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import type { ReactNode } from "react";
import { FormModal } from "#components/form-modal.tsx";
import { ProblemAlert } from "#components/problem-alert.tsx";
import { isProblem } from "#lib/api-problem.ts";
import { fieldErrors } from "#lib/form-errors.ts";
import { tellDone } from "#lib/tell.tsx";
import { useRenameNode } from "./api/rename-node.ts";

/** Gives this server another name, for all members. */
export function RenameNode(props: { readonly name: string; readonly onClose: () => void }): ReactNode {
  const rename = useRenameNode();
  const form = useForm({ initialValues: { name: props.name } });
  const submit = form.onSubmit(({ name }) =>
    rename.mutate(name, {
      onError: (error) => {
        form.setErrors(nameError(error) ?? {});
        form.getInputNode("name")?.focus();
      },
      onSuccess: (done) => {
        tellDone(`This server is ${done.name} now.`);
        props.onClose();
      },
    }),
  );
  return (
    <FormModal title={`Rename ${props.name}`} onClose={props.onClose}>
      <form onSubmit={submit}>
        <Stack>
          <TextInput
            label="Name"
            description="Of this server, as all members list it: letters, digits, dots, hyphens and underscores"
            required
            autoComplete="off"
            data-autofocus
            {...form.getInputProps("name")}
          />
          {nameError(rename.error) === null && <ProblemAlert error={rename.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={props.onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={rename.isPending}>
              Rename
            </Button>
          </Group>
        </Stack>
      </form>
    </FormModal>
  );
}

function nameError(error: unknown): Record<string, string> | null {
  return isProblem(error, "node_exists") ? { name: error.message } : fieldErrors(error, ["name"]);
}
