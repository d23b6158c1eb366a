import { Button, Fieldset, Group, NumberInput, SimpleGrid, Stack, TagsInput, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import type { ReactNode } from "react";
import { ProblemAlert } from "#components/problem-alert.tsx";
import { fieldErrors, showAtFields } from "#lib/form-errors.ts";
import { LIMITS } from "#lib/limits.ts";
import { usePermissionSetNames } from "#lib/permission-sets.ts";
import { KEY_FIELDS, type KeyForm as KeyFormValues } from "./key-terms.ts";

/** Lists open inside the window that their field is in, for who hears the page read. */
const INSIDE = { withinPortal: false };

/** The terms of a key; `submit` sends them, and what it throws is shown at its field or whole. */
export function KeyForm(props: {
  readonly initial: KeyFormValues;
  readonly verb: string;
  readonly error: unknown;
  readonly isPending: boolean;
  readonly submit: (values: KeyFormValues, failed: (error: unknown) => void) => void;
  readonly onCancel: () => void;
}): ReactNode {
  const form = useForm<KeyFormValues>({ initialValues: props.initial });
  const setNames = usePermissionSetNames();
  const submit = form.onSubmit((values) =>
    props.submit(values, (error) => showAtFields(form, error, KEY_FIELDS)),
  );
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput
          label="Name"
          description="Of the one program, person or deployment that uses it"
          required
          autoComplete="off"
          data-autofocus
          {...form.getInputProps("name")}
        />
        <TagsInput
          label="Permission sets"
          description="What the key may do; one without any may do nothing"
          data={setNames}
          comboboxProps={INSIDE}
          {...form.getInputProps("permissions")}
        />
        <TagsInput
          label="Models"
          description="provider/model, or x/NAME for a published API; * stands for any text. Empty: all of them"
          placeholder="openai/*"
          comboboxProps={INSIDE}
          {...form.getInputProps("models")}
        />
        <Fieldset legend="Limits" variant="filled">
          <SimpleGrid cols={{ base: 1, xs: 2 }}>
            {LIMITS.map(({ name, label, unit }) => (
              <NumberInput
                key={name}
                label={label}
                placeholder="no limit"
                min={0}
                allowNegative={false}
                allowDecimal={unit === "usd"}
                thousandSeparator=","
                hideControls
                {...form.getInputProps(`limits.${name}`)}
              />
            ))}
          </SimpleGrid>
        </Fieldset>
        <TextInput
          type="datetime-local"
          label="Ends at"
          description="In your time zone. Empty: it does not end"
          {...form.getInputProps("expires_at")}
        />
        <TagsInput
          label="Allowed addresses"
          description="IP addresses and ranges it may be used from. Empty: anywhere"
          placeholder="10.20.0.0/16"
          comboboxProps={INSIDE}
          {...form.getInputProps("allowed_ips")}
        />
        {fieldErrors(props.error, KEY_FIELDS) === null && <ProblemAlert error={props.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={props.onCancel}>
            Cancel
          </Button>
          <Button type="submit" loading={props.isPending}>
            {props.verb}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
