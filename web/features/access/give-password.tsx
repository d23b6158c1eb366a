import { Stack, Text } from "@mantine/core";
import { useForm } from "@mantine/form";
import type { ReactNode } from "react";
import { FormModal } from "#components/form-modal.tsx";
import { tellDone } from "#lib/tell.tsx";
import { useSetPassword } from "./api/set-password.ts";
import { type User, userFieldErrors } from "./user.ts";
import { FormEnd, MustChangeField, NewPasswordField } from "./user-fields.tsx";

const FIELDS = ["password"];

/** Another password, for who forgot it. */
export function GivePassword(props: { readonly of: User; readonly onClose: () => void }): ReactNode {
  const { id, username } = props.of;
  const set = useSetPassword(id);
  const form = useForm({ initialValues: { password: "", must_change_password: true } });
  const submit = form.onSubmit((values) =>
    set.mutate(values, {
      onError: (error) => form.setErrors(userFieldErrors(error, FIELDS) ?? {}),
      onSuccess: () => {
        tellDone(`${username} signs in with the new password from now on.`);
        props.onClose();
      },
    }),
  );
  return (
    <FormModal title={`Another password for ${username}`} onClose={props.onClose}>
      <form onSubmit={submit}>
        <Stack>
          <Text>The old one is good for nothing then, and every session of {username} ends.</Text>
          <NewPasswordField data-autofocus {...form.getInputProps("password")} />
          <MustChangeField {...form.getInputProps("must_change_password", { type: "checkbox" })} />
          <FormEnd
            error={set.error}
            fields={FIELDS}
            verb="Give the password"
            isPending={set.isPending}
            onCancel={props.onClose}
          />
        </Stack>
      </form>
    </FormModal>
  );
}
