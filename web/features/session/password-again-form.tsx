import { Button, Group, PasswordInput, Stack, Text } from "@mantine/core";
import { useForm } from "@mantine/form";
import type { ReactNode } from "react";
import { FormModal } from "#components/form-modal.tsx";
import { ProblemAlert } from "#components/problem-alert.tsx";
import { isProblem } from "#lib/api-problem.ts";
import { useReauthenticate } from "./api/reauthenticate.ts";

/** Asks for the password, and tells whether it was given. */
export default function PasswordAgainForm(props: { readonly end: (isGiven: boolean) => void }): ReactNode {
  const giving = useReauthenticate();
  const form = useForm({ initialValues: { password: "" } });
  const submit = form.onSubmit((body) =>
    giving.mutate(body, {
      onSuccess: () => props.end(true),
      onError: (error) => {
        if (isProblem(error, "wrong_password")) form.setFieldError("password", error.message);
      },
    }),
  );
  return (
    <FormModal title="Give your password again" onClose={() => props.end(false)}>
      <form onSubmit={submit}>
        <Stack>
          <Text>
            You gave it more than 15 minutes ago, and this could do great harm in a session left open.
          </Text>
          <PasswordInput
            label="Password"
            autoComplete="current-password"
            required
            data-autofocus
            visibilityToggleButtonProps={{ "aria-label": "Show the password" }}
            {...form.getInputProps("password")}
          />
          {!isProblem(giving.error, "wrong_password") && <ProblemAlert error={giving.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={() => props.end(false)}>
              Cancel
            </Button>
            <Button type="submit" loading={giving.isPending}>
              Go on
            </Button>
          </Group>
        </Stack>
      </form>
    </FormModal>
  );
}
