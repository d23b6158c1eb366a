import {
  Fieldset,
  MultiSelect,
  NumberInput,
  SimpleGrid,
  Stack,
  TagsInput,
  Textarea,
  TextInput,
} from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import type { ReactNode } from "react";
import { METHODS, type ProviderForm, TIMEOUTS } from "./provider-terms.ts";

type Form = UseFormReturnType<ProviderForm>;

/** What an HTTP API is published with. */
export function HttpFields({ form }: { readonly form: Form }): ReactNode {
  return (
    <Fieldset legend="What is published" variant="filled">
      <Stack>
        <SimpleGrid cols={{ base: 1, xs: 2 }}>
          <TextInput
            label="Header of the credential"
            description="Empty: Authorization"
            placeholder="X-Subscription-Token"
            autoComplete="off"
            {...form.getInputProps("options.credential_header.name")}
          />
          <TextInput
            label="Text before it"
            description="With its space, as in Bearer …"
            autoComplete="off"
            {...form.getInputProps("options.credential_header.prefix")}
          />
        </SimpleGrid>
        <MultiSelect
          label="Methods"
          description="Empty: all of them"
          data={[...METHODS]}
          {...form.getInputProps("options.methods")}
        />
        <TagsInput
          label="Paths"
          description="Beginnings of the paths that are published. Empty: every path"
          placeholder="/web"
          {...form.getInputProps("options.path_prefixes")}
        />
      </Stack>
    </Fieldset>
  );
}

/** What few upstreams want otherwise than the rest. */
export function OptionFields({ form }: { readonly form: Form }): ReactNode {
  return (
    <Stack>
      <Fieldset legend="Timeouts, in milliseconds" variant="filled">
        <SimpleGrid cols={{ base: 1, xs: 3 }}>
          {TIMEOUTS.map(({ name, label, usual, most }) => (
            <NumberInput
              key={name}
              label={label}
              placeholder={usual.toLocaleString("en")}
              min={1}
              max={most}
              clampBehavior="none"
              allowDecimal={false}
              thousandSeparator=","
              hideControls
              {...form.getInputProps(`options.${name}`)}
            />
          ))}
        </SimpleGrid>
      </Fieldset>
      <Textarea
        label="Headers sent with every request"
        description="A line each. They are stored and shown as they are: no secrets"
        placeholder="x-team: blue"
        autosize
        minRows={2}
        spellCheck={false}
        {...form.getInputProps("options.extra_headers")}
      />
      <TextInput
        label="Proxy"
        description="No proxy of the environment is ever used, only this one"
        placeholder="http://proxy.example:3128"
        autoComplete="off"
        {...form.getInputProps("options.proxy")}
      />
      <TextInput
        label="Certificate authorities"
        description="Path of a PEM file on the server; these are trusted instead of the system's"
        placeholder="/etc/lab-ca.pem"
        autoComplete="off"
        {...form.getInputProps("options.ca_file")}
      />
    </Stack>
  );
}
