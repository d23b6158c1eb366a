import { Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import type { ReactNode } from "react";
import { FormModal } from "#components/form-modal.tsx";
import { ProblemAlert } from "#components/problem-alert.tsx";
import { isProblem } from "#lib/api-problem.ts";
import { useJoinCluster } from "./api/join-cluster.ts";
import { FoundMembers } from "./found-members.tsx";
import { PinBoxes } from "./pin-boxes.tsx";

/** The window in which this server joins a cluster. */
export function JoinCluster(props: { readonly onClose: () => void }): ReactNode {
  return (
    <FormModal title="Join a cluster" onClose={props.onClose}>
      <JoinClusterForm onDone={props.onClose} onCancel={props.onClose} />
    </FormModal>
  );
}

/** Asks where a member is, or shows those that are heard, and for the PIN. */
function JoinClusterForm(props: { readonly onDone: () => void; readonly onCancel: () => void }): ReactNode {
  const join = useJoinCluster();
  const form = useForm({
    initialValues: { url: "", pin: "" },
    validate: {
      url: (url) => (url.trim().startsWith("https://") ? null : "A member's address begins with https://"),
      pin: (pin) => (pin.length < 4 ? "A PIN is 4 to 12 digits." : null),
    },
  });
  const leadTo = (errors: object) => form.getInputNode(Object.keys(errors)[0] ?? "")?.focus();
  const submit = form.onSubmit(
    ({ url, pin }) =>
      join.mutate(
        { url: url.trim(), pin },
        {
          onSuccess: props.onDone,
          onError: (error) => {
            const errors = errorsOf(error);
            form.setErrors(errors);
            leadTo(errors);
          },
        },
      ),
    leadTo,
  );
  return (
    <form onSubmit={submit}>
      <Stack>
        <Text>
          Joining must be open on the member: there, “Let others join”, or claviger cluster open. It lasts 15
          minutes.
        </Text>
        <TextInput
          label="Address of a member"
          description="Its HTTPS address, as its page shows it"
          placeholder="https://192.168.1.20:8442"
          inputMode="url"
          required
          autoComplete="off"
          data-autofocus
          {...form.getInputProps("url")}
        />
        <FoundMembers chosen={form.values.url} onChoose={(url) => form.setFieldValue("url", url)} />
        <PinBoxes label="PIN of the cluster" {...form.getInputProps("pin")} />
        {Object.keys(errorsOf(join.error)).length === 0 && <ProblemAlert error={join.error} />}
        <Group justify="flex-end">
          {join.isPending && (
            <Text size="sm" c="dimmed" role="status">
              The two servers prove the PIN to each other. That takes some seconds.
            </Text>
          )}
          <Button variant="default" onClick={props.onCancel}>
            Cancel
          </Button>
          <Button type="submit" loading={join.isPending}>
            Join
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** A refusal at the field it is about; none where it is about the whole. */
function errorsOf(error: unknown): Record<string, string> {
  if (isProblem(error, "pin_refused", "wrong_pin")) return { pin: error.message };
  return isProblem(error, "bad_request", "egress_denied") ? { url: error.message } : {};
}
