import { Button, Checkbox, Group, PasswordInput, TagsInput, type TagsInputProps } from "@mantine/core";
import type { ComponentProps, ReactNode } from "react";
import { ProblemAlert } from "#components/problem-alert.tsx";
import { usePermissionSetNames } from "#lib/permission-sets.ts";
import { userFieldErrors } from "./user.ts";

export function SetsField(props: TagsInputProps): ReactNode {
  return (
    <TagsInput
      label="Permission sets"
      description="What the person may do; nobody gives more than what he may himself. Without any: nothing"
      data={usePermissionSetNames()}
      // Inside the window that the field is in, for who hears the page read.
      comboboxProps={{ withinPortal: false }}
      {...props}
    />
  );
}

export function NewPasswordField(props: ComponentProps<typeof PasswordInput>): ReactNode {
  return (
    <PasswordInput
      label="Password"
      description="At least 12 characters, and none that everybody tries first. You hand it over"
      autoComplete="new-password"
      required
      visibilityToggleButtonProps={{ "aria-label": "Show the password" }}
      {...props}
    />
  );
}

export function MustChangeField(props: ComponentProps<typeof Checkbox>): ReactNode {
  return (
    <Checkbox
      label="To be changed at the next sign-in"
      description="So that nobody but the person knows it"
      {...props}
    />
  );
}

/** What stands below the fields of a form: the refusal that is of none of them, and its buttons. */
export function FormEnd(props: {
  readonly error: unknown;
  readonly fields: readonly string[];
  readonly verb: string;
  readonly isPending: boolean;
  readonly onCancel: () => void;
}): ReactNode {
  return (
    <>
      {userFieldErrors(props.error, props.fields) === null && <ProblemAlert error={props.error} />}
      <Group justify="flex-end">
        <Button variant="default" onClick={props.onCancel}>
          Cancel
        </Button>
        <Button type="submit" loading={props.isPending}>
          {props.verb}
        </Button>
      </Group>
    </>
  );
}
