import { Button, Checkbox, Group, Stack, Text } from "@mantine/core";
import { useForm } from "@mantine/form";
import type { ReactNode } from "react";
import { FormModal } from "#components/form-modal.tsx";
import { ProblemAlert } from "#components/problem-alert.tsx";
import { SecretOnce } from "#components/secret-once.tsx";
import { tellDone } from "#lib/tell.tsx";
import { useInitializeKey } from "./api/initialize-key.ts";
import { againFault, KeyInput, newKeyFault } from "./key-input.tsx";
import { keyRefusal } from "./key-refusal.ts";
import { SaveFirst } from "./save-first.tsx";

const DONE = "The server key is set. The next start asks for it.";

/** Asks for the key twice, sets it, and shows the recovery key this once. */
export function SetKey(props: { readonly onClose: () => void }): ReactNode {
  const initialize = useInitializeKey();
  const recoveryKey = initialize.data?.recovery_key;
  const form = useForm({
    initialValues: { key: "", again: "", recovery: true, saved: false },
    validate: {
      key: newKeyFault,
      again: (again, { key }) => againFault(again, key),
      saved: (saved) => (saved ? null : "Save it first"),
    },
  });
  const close = () => {
    tellDone(DONE);
    props.onClose();
  };
  if (recoveryKey !== undefined)
    return (
      <SecretOnce title="The recovery key" label="Recovery key" secret={recoveryKey} onClose={close}>
        <Text size="sm">
          It unlocks like the server key. Keep it apart from that one, so that they are not lost together.
        </Text>
      </SecretOnce>
    );
  const submit = form.onSubmit(({ key, recovery }) =>
    initialize.mutate(
      { key, recovery },
      {
        onSuccess: (answer) => answer.recovery_key === undefined && close(),
        onError: (error) => form.setFieldError("key", keyRefusal(error)?.text ?? null),
      },
    ),
  );
  return (
    <FormModal title="Set the server key" onClose={props.onClose}>
      <form onSubmit={submit}>
        <Stack>
          <Text>
            Every stored credential is sealed anew under the key you choose, and the file that opened them
            until now is destroyed. From then on the server is locked after every start, and serves nobody
            until somebody gives it the key.
          </Text>
          <KeyInput
            label="Server key"
            description="At least 12 characters; six words by dice are good. Spaces and accents count"
            data-autofocus
            {...form.getInputProps("key")}
          />
          <KeyInput label="Server key again" {...form.getInputProps("again")} />
          <Checkbox
            label="Make a recovery key too"
            description="A second key, shown once. Without one there is no way back from a lost server key"
            {...form.getInputProps("recovery", { type: "checkbox" })}
          />
          <SaveFirst {...form.getInputProps("saved", { type: "checkbox" })} />
          {keyRefusal(initialize.error) === null && <ProblemAlert error={initialize.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={props.onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={initialize.isPending}>
              Set the key
            </Button>
          </Group>
        </Stack>
      </form>
    </FormModal>
  );
}
