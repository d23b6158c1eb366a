import { Accordion, Button, Group, Select, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import type { FormEvent, ReactNode } from "react";
import { ProblemAlert } from "#components/problem-alert.tsx";
import { CredentialFields, credentialsIn } from "./credential-fields.tsx";
import { isKind, KINDS } from "./kinds.ts";
import { HttpFields, OptionFields } from "./option-fields.tsx";
import { type ProviderForm as ProviderFormValues, providerErrors } from "./provider-terms.ts";

const CHOICES = Object.entries(KINDS).map(([value, { label }]) => ({ value, label }));

/**
 * The terms of a provider. `submit` sends them with the credentials it reads by itself, and what the server refuses is
 * shown at its field or whole.
 */
export function ProviderForm(props: {
  readonly initial: ProviderFormValues;
  readonly isNew: boolean;
  readonly error: unknown;
  readonly isPending: boolean;
  readonly submit: (
    values: ProviderFormValues,
    how: { readonly credentials: () => readonly string[]; readonly failed: (error: unknown) => void },
  ) => void;
  readonly onCancel: () => void;
}): ReactNode {
  const form = useForm<ProviderFormValues>({ initialValues: props.initial });
  const { kind } = form.values;
  const { about, baseUrl, sample } = KINDS[kind];
  const submit = form.onSubmit((values, event: FormEvent<HTMLFormElement> | undefined) => {
    const fields = event?.currentTarget;
    props.submit(values, {
      credentials: () => (fields === undefined ? [] : credentialsIn(fields)),
      failed: (error) => form.setErrors(providerErrors(error) ?? {}),
    });
  });
  return (
    <form onSubmit={submit} autoComplete="off">
      <Stack>
        {props.isNew && (
          <>
            <Select
              label="Kind"
              description={about}
              data={CHOICES}
              value={kind}
              allowDeselect={false}
              onChange={(value) => value !== null && isKind(value) && form.setFieldValue("kind", value)}
              error={form.errors.kind}
              data-autofocus
            />
            <TextInput
              label="Name"
              description={
                kind === "http" ? "It is published at /x/NAME/" : "Programs ask for its models as NAME/model"
              }
              required
              autoComplete="off"
              {...form.getInputProps("name")}
            />
          </>
        )}
        <TextInput
          label="Base URL"
          description={baseUrl === undefined ? "Where the API is" : "Empty: the usual one"}
          placeholder={sample}
          required={baseUrl === undefined}
          autoComplete="off"
          inputMode="url"
          {...form.getInputProps("base_url")}
        />
        <CredentialFields description={credentialWords(props.isNew, kind)} error={form.errors.credentials} />
        {kind === "http" && <HttpFields form={form} />}
        <Accordion variant="contained">
          <Accordion.Item value="options">
            <Accordion.Control>More options</Accordion.Control>
            <Accordion.Panel>
              <OptionFields form={form} />
            </Accordion.Panel>
          </Accordion.Item>
        </Accordion>
        {providerErrors(props.error) === null && <ProblemAlert error={props.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={props.onCancel}>
            Cancel
          </Button>
          <Button type="submit" loading={props.isPending}>
            {props.isNew ? "Add the provider" : "Save"}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function credentialWords(isNew: boolean, kind: string): string {
  if (!isNew) return "Empty: those that are set stay. Another origin or proxy needs them again";
  if (kind === "ollama") return "Empty: it needs none. What is typed is sealed, and never shown again";
  return "Its API key. It is sealed, and never shown again. Of several the next is used while one is refused";
}
