import { Button, Group, Stack, Text } from "@mantine/core";
import { useForm } from "@mantine/form";
import type { ReactNode } from "react";
import { FormModal } from "#components/form-modal.tsx";
import { ProblemAlert } from "#components/problem-alert.tsx";
import { isProblem } from "#lib/api-problem.ts";
import { useBeginCluster } from "./api/begin-cluster.ts";
import { PinBoxes } from "./pin-boxes.tsx";

/** The window in which a cluster is begun. */
export function BeginCluster(props: { readonly onClose: () => void }): ReactNode {
  return (
    <FormModal title="Begin a cluster" onClose={props.onClose}>
      <BeginClusterForm onDone={props.onClose} onCancel={props.onClose} />
    </FormModal>
  );
}

/** Asks for the PIN of a new cluster twice; why one is refused stands at it. */
function BeginClusterForm(props: { readonly onDone: () => void; readonly onCancel: () => void }): ReactNode {
  const begin = useBeginCluster();
  const form = useForm({
    initialValues: { pin: "", again: "" },
    validate: {
      pin: (pin) => (pin.length < 4 ? "A PIN is 4 to 12 digits." : null),
      again: (again, { pin }) => (again === pin ? null : "This is another PIN than the one above."),
    },
  });
  const leadTo = (field: string) => form.getInputNode(field)?.focus();
  const submit = form.onSubmit(
    ({ pin }) =>
      begin.mutate(pin, {
        onSuccess: props.onDone,
        onError: (error) => {
          if (!isProblem(error, "pin_refused")) return;
          form.setErrors({ pin: error.message });
          leadTo("pin");
        },
      }),
    (errors) => leadTo(Object.keys(errors)[0] ?? ""),
  );
  return (
    <form onSubmit={submit}>
      <Stack>
        <Text>
          The PIN is typed on every server that is to belong to the cluster. It is stored nowhere: keep it
          where you keep the keys of the house.
        </Text>
        <PinBoxes
          label="PIN"
          description="4 to 12 digits; 6 or more are advised. Refused are dates, years, repeats, runs and the commonest ones."
          isFirst
          {...form.getInputProps("pin")}
        />
        <PinBoxes label="PIN again" {...form.getInputProps("again")} />
        {!isProblem(begin.error, "pin_refused") && <ProblemAlert error={begin.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={props.onCancel}>
            Cancel
          </Button>
          <Button type="submit" loading={begin.isPending}>
            Begin the cluster
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
