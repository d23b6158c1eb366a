import { Button, Group, Select, SimpleGrid, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import type { ReactNode } from "react";
import { type FilterFields, NO_FILTER, OUTCOMES } from "./filter.ts";

/** What narrows the list; `onChange` hears of it when it is sent off, or cleared. */
export function FilterForm(props: {
  readonly initial: FilterFields;
  readonly onChange: (fields: FilterFields) => void;
}): ReactNode {
  const form = useForm<FilterFields>({ initialValues: props.initial });
  return (
    <form onSubmit={form.onSubmit(props.onChange)} aria-label="Filter of the records">
      <SimpleGrid cols={{ base: 1, xs: 2, md: 3 }} spacing="sm">
        <TextInput label="Actor" placeholder="local, user_…, key_…" {...form.getInputProps("actor")} />
        <TextInput label="Action" placeholder="key.create" {...form.getInputProps("action")} />
        <TextInput label="Target" placeholder="key_…" {...form.getInputProps("target")} />
        <Select
          label="Outcome"
          placeholder="any"
          data={[...OUTCOMES]}
          clearable
          clearButtonProps={{ "aria-label": "Any outcome" }}
          {...form.getInputProps("outcome")}
          value={form.values.outcome === "" ? null : form.values.outcome}
          onChange={(outcome) => form.setFieldValue("outcome", outcome ?? "")}
        />
        <TextInput type="datetime-local" label="From" {...form.getInputProps("since")} />
        <TextInput type="datetime-local" label="Before" {...form.getInputProps("until")} />
      </SimpleGrid>
      <Group mt="sm">
        <Button type="submit" variant="default">
          Filter
        </Button>
        <Button
          variant="subtle"
          color="gray"
          onClick={() => {
            form.setValues(NO_FILTER);
            props.onChange(NO_FILTER);
          }}
        >
          Clear
        </Button>
      </Group>
    </form>
  );
}
