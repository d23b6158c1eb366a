import { Button, PasswordInput, Stack } from "@mantine/core";
import { useForm } from "@mantine/form";
import type { ReactNode } from "react";
import { ProblemAlert } from "#components/problem-alert.tsx";
import { isProblem } from "#lib/api-problem.ts";
import { useChangePassword } from "./api/change-password.ts";

const SHORTEST = 12;
const SHOW = { "aria-label": "Show the password" };

/** One's own password, the new one typed twice. */
export function PasswordForm(props: { readonly username: string; readonly onDone?: () => void }): ReactNode {
  const change = useChangePassword();
  const form = useForm({
    initialValues: { current: "", next: "", again: "" },
    validate: {
      next: (next) => (next.length < SHORTEST ? `A password has at least ${SHORTEST} characters` : null),
      again: (again, { next }) => (again === next ? null : "The two differ"),
    },
  });
  const submit = form.onSubmit(({ current, next }) =>
    change.mutate(
      { current_password: current, new_password: next },
      {
        onSuccess: () => {
          form.reset();
          props.onDone?.();
        },
        onError: (error) => {
          if (isProblem(error, "wrong_password")) form.setFieldError("current", error.message);
          if (isProblem(error, "weak_password")) form.setFieldError("next", error.message);
        },
      },
    ),
  );
  const isAtField = isProblem(change.error, "wrong_password", "weak_password");
  return (
    <form onSubmit={submit}>
      <Stack>
        <input type="text" name="username" autoComplete="username" value={props.username} readOnly hidden />
        <PasswordInput
          label="Current password"
          autoComplete="current-password"
          required
          visibilityToggleButtonProps={SHOW}
          {...form.getInputProps("current")}
        />
        <PasswordInput
          label="New password"
          description={`At least ${SHORTEST} characters, and none that everybody tries first`}
          autoComplete="new-password"
          required
          visibilityToggleButtonProps={SHOW}
          {...form.getInputProps("next")}
        />
        <PasswordInput
          label="New password again"
          autoComplete="new-password"
          required
          visibilityToggleButtonProps={SHOW}
          {...form.getInputProps("again")}
        />
        {!isAtField && <ProblemAlert error={change.error} />}
        <Button type="submit" loading={change.isPending}>
          Change the password
        </Button>
      </Stack>
    </form>
  );
}
