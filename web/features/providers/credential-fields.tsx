import { Button, Input, PasswordInput, Stack } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { type ReactNode, useState } from "react";

const FIELD = "credential";
/** As many as a provider holds. */
export const MOST_CREDENTIALS = 16;

/**
 * Where credentials are typed, unseen. The fields belong to the browser alone: no state of the page ever holds what is in
 * them, and `credentialsIn` reads them when they are sent.
 */
export function CredentialFields(props: {
  readonly description: string;
  readonly required?: boolean;
  readonly autoFocus?: boolean;
  readonly most?: number;
  readonly error?: ReactNode;
}): ReactNode {
  const [count, setCount] = useState(1);
  const numbers = Array.from({ length: count }, (_each, at) => at + 1);
  return (
    <Stack gap="xs" align="stretch">
      {numbers.map((number) => (
        <PasswordInput
          key={number}
          name={FIELD}
          label={number === 1 ? "Credential" : `Credential ${number}`}
          required={props.required === true && number === 1}
          autoComplete="off"
          spellCheck={false}
          visibilityToggleButtonProps={{ "aria-label": "Show the credential" }}
          {...(number === 1 && { description: props.description })}
          {...(number === 1 && props.autoFocus === true && { "data-autofocus": true })}
        />
      ))}
      {props.error !== undefined && props.error !== null && <Input.Error>{props.error}</Input.Error>}
      {count < (props.most ?? MOST_CREDENTIALS) && (
        <Button
          variant="subtle"
          size="compact-sm"
          leftSection={<IconPlus size={14} aria-hidden />}
          onClick={() => setCount(count + 1)}
          style={{ alignSelf: "flex-start" }}
        >
          Another credential
        </Button>
      )}
    </Stack>
  );
}

/** What stands in the fields of this form now. */
export function credentialsIn(form: HTMLFormElement): readonly string[] {
  return new FormData(form)
    .getAll(FIELD)
    .map(String)
    .filter((value) => value !== "");
}
