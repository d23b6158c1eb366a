import { Alert, Anchor, Button, Code, Collapse, PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { type ReactNode, useState } from "react";
import { ProblemAlert } from "#components/problem-alert.tsx";
import { isProblem } from "#lib/api-problem.ts";
import { useSignIn } from "./api/sign-in.ts";
import { EntryCard } from "./entry-card.tsx";

/** Name and password, then the code of the second factor where one is asked for. */
export function SignInPage(props: { readonly isLocked: boolean }): ReactNode {
  const signIn = useSignIn();
  const form = useForm({ initialValues: { username: "", password: "", code: "" } });
  const [wantsCode, setWantsCode] = useState(false);
  const submit = form.onSubmit(({ username, password, code }) => {
    signIn.mutate(
      { username: username.trim(), password, ...(wantsCode && { code: code.trim() }) },
      { onError: (error) => setWantsCode(wantsCode || isProblem(error, "second_factor_required")) },
    );
  });
  const asksFirst = isProblem(signIn.error, "second_factor_required") && form.values.code === "";
  return (
    <EntryCard title="Sign in">
      {props.isLocked && (
        <Alert color="yellow.8" variant="outline" title="The server is locked">
          Sign in to unlock it.
        </Alert>
      )}
      <form onSubmit={submit}>
        <Stack>
          <TextInput
            label="User name"
            autoComplete="username"
            autoCapitalize="none"
            required
            data-autofocus
            {...form.getInputProps("username")}
          />
          <PasswordInput
            label="Password"
            autoComplete="current-password"
            required
            visibilityToggleButtonProps={{ "aria-label": "Show the password" }}
            {...form.getInputProps("password")}
          />
          {wantsCode && (
            <TextInput
              label="Code"
              description="Six digits of your authenticator app, or a recovery code"
              autoComplete="one-time-code"
              required
              autoFocus
              {...form.getInputProps("code")}
            />
          )}
          {!asksFirst && <ProblemAlert error={signIn.error} />}
          <Button type="submit" loading={signIn.isPending}>
            Sign in
          </Button>
        </Stack>
      </form>
      <FirstSignIn />
    </EntryCard>
  );
}

/** Nobody but a person can know whether this is the first time: the server tells strangers nothing. */
function FirstSignIn(): ReactNode {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Anchor
        component="button"
        type="button"
        size="sm"
        ta="left"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      >
        First time here, or password forgotten?
      </Anchor>
      <Collapse expanded={isOpen}>
        <Stack gap="xs">
          <Text size="sm">
            The first user is <Code>admin</Code>. His password is the server's <Code>INITIAL_PASSWORD</Code>.
            Where none is set it is <Code>123456</Code>, from the machine itself, if no other machine can
            reach the server. Else this prints it:
          </Text>
          <Code block>claviger setup-code</Code>
          <Text size="sm">
            Whoever forgot a password, or is locked out, gets a new one on the machine with:
          </Text>
          <Code block>claviger user passwd NAME</Code>
        </Stack>
      </Collapse>
    </>
  );
}
