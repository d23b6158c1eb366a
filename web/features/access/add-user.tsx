import { Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import type { ReactNode } from "react";
import { FormModal } from "#components/form-modal.tsx";
import { tellDone } from "#lib/tell.tsx";
import { useCreateUser } from "./api/create-user.ts";
import { userFieldErrors } from "./user.ts";
import { FormEnd, MustChangeField, NewPasswordField, SetsField } from "./user-fields.tsx";

const FIELDS = ["username", "password", "permissions"];

/** Somebody new, with a password that is handed over. */
export function AddUser(props: { readonly onClose: () => void }): ReactNode {
  const create = useCreateUser();
  const form = useForm({
    initialValues: { username: "", password: "", permissions: ["viewer"], must_change_password: true },
  });
  const submit = form.onSubmit((values) =>
    create.mutate(values, {
      onError: (error) => form.setErrors(userFieldErrors(error, FIELDS) ?? {}),
      onSuccess: ({ username }) => {
        tellDone(`${username} may sign in now.`);
        props.onClose();
      },
    }),
  );
  return (
    <FormModal title="New user" onClose={props.onClose}>
      <form onSubmit={submit}>
        <Stack>
          <TextInput
            label="User name"
            description="1 to 63 letters, digits and . _ @ + -; capital letters are as small ones"
            required
            autoComplete="off"
            data-autofocus
            {...form.getInputProps("username")}
          />
          <NewPasswordField {...form.getInputProps("password")} />
          <MustChangeField {...form.getInputProps("must_change_password", { type: "checkbox" })} />
          <SetsField {...form.getInputProps("permissions")} />
          <FormEnd
            error={create.error}
            fields={FIELDS}
            verb="Add the user"
            isPending={create.isPending}
            onCancel={props.onClose}
          />
        </Stack>
      </form>
    </FormModal>
  );
}
