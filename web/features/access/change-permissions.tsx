import { Alert, Stack } from "@mantine/core";
import { useForm } from "@mantine/form";
import type { ReactNode } from "react";
import { FormModal } from "#components/form-modal.tsx";
import { tellDone } from "#lib/tell.tsx";
import { useUpdateUser } from "./api/update-user.ts";
import { type User, userFieldErrors } from "./user.ts";
import { FormEnd, SetsField } from "./user-fields.tsx";

const FIELDS = ["permissions"];

/** Other permission sets for somebody who is there. */
export function ChangePermissions(props: {
  readonly of: User;
  readonly isLast: boolean;
  readonly onClose: () => void;
}): ReactNode {
  const { id, username, permissions } = props.of;
  const update = useUpdateUser(id);
  const form = useForm({ initialValues: { permissions: [...permissions] } });
  const submit = form.onSubmit((values) =>
    update.mutate(values, {
      onError: (error) => form.setErrors(userFieldErrors(error, FIELDS) ?? {}),
      onSuccess: () => {
        tellDone(`${username} has other permission sets from the next request on.`);
        props.onClose();
      },
    }),
  );
  return (
    <FormModal title={`What ${username} may do`} onClose={props.onClose}>
      <form onSubmit={submit}>
        <Stack>
          {props.isLast && (
            <Alert variant="outline" color="yellow.8" title="The last superadmin">
              {username} keeps superadmin until somebody else has it: else nobody could give it again.
            </Alert>
          )}
          <SetsField data-autofocus {...form.getInputProps("permissions")} />
          <FormEnd
            error={update.error}
            fields={FIELDS}
            verb="Save"
            isPending={update.isPending}
            onCancel={props.onClose}
          />
        </Stack>
      </form>
    </FormModal>
  );
}
