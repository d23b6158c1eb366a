import { PasswordInput, type PasswordInputProps } from "@mantine/core";
import type { ReactNode } from "react";

/** As short as the server takes one. */
const SHORTEST = 12;

/** A field for a server key, which no browser is to keep. */
export function KeyInput(props: PasswordInputProps): ReactNode {
  return (
    <PasswordInput
      autoComplete="off"
      required
      visibilityToggleButtonProps={{ "aria-label": `Show what is typed at ${String(props.label)}` }}
      {...props}
    />
  );
}

/** What is wrong with a new key before it is sent. */
export function newKeyFault(key: string): string | null {
  return [...key.normalize("NFKC")].length < SHORTEST
    ? `A server key has at least ${SHORTEST} characters`
    : null;
}

/** What is wrong where the second typing differs from the first. */
export function againFault(again: string, first: string): string | null {
  return again === first ? null : "The two differ";
}
