import { Button, Group, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { FormModal } from "#components/form-modal.tsx";
import { ProblemAlert } from "#components/problem-alert.tsx";
import { fieldErrors } from "#lib/form-errors.ts";
import { CredentialFields, credentialsIn, MOST_CREDENTIALS } from "./credential-fields.tsx";

/** Asks for credentials and nothing else. */
export function CredentialForm(props: {
  readonly title: string;
  readonly about: string;
  /** There is but one. */
  readonly isSingle?: boolean;
  readonly error: unknown;
  readonly isPending: boolean;
  /** Gets what reads the fields. */
  readonly submit: (credentials: () => readonly string[]) => void;
  readonly onClose: () => void;
}): ReactNode {
  const refused = fieldErrors(props.error, ["credentials", "value"]);
  return (
    <FormModal title={props.title} onClose={props.onClose}>
      <form
        autoComplete="off"
        onSubmit={(event) => {
          event.preventDefault();
          const fields = event.currentTarget;
          props.submit(() => credentialsIn(fields));
        }}
      >
        <Stack>
          <Text>{props.about}</Text>
          <CredentialFields
            description="It is sealed, and never shown again"
            required
            most={props.isSingle === true ? 1 : MOST_CREDENTIALS}
            autoFocus
            error={refused?.credentials ?? refused?.value}
          />
          {refused === null && <ProblemAlert error={props.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={props.onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={props.isPending}>
              Set
            </Button>
          </Group>
        </Stack>
      </form>
    </FormModal>
  );
}
