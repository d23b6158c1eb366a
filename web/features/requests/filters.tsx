import { Button, Group, NativeSelect, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import type { ReactNode } from "react";
import { RANGES } from "#lib/ranges.ts";
import type { SearchWords } from "#lib/search-words.ts";
import { PrincipalChoice } from "./principal-choice.tsx";

const STATUSES = [
  { value: "", label: "Any" },
  { value: "2xx", label: "2xx: answered" },
  { value: "4xx", label: "4xx: refused" },
  { value: "429", label: "429: too many" },
  { value: "499", label: "499: caller left" },
  { value: "5xx", label: "5xx: failed" },
];
const TIMES = [
  { value: "", label: "Any time" },
  ...RANGES.map(({ value, words }) => ({ value, label: `The last ${words}` })),
];
const TEXTS = [
  { name: "model", label: "Model" },
  { name: "provider", label: "Provider" },
] as const;
const NONE = { status: "", range: "", model: "", provider: "", principal: "" };

/** What the list is narrowed to: choices at once, words with Enter. They stand in the address. */
export function Filters(props: {
  readonly words: SearchWords;
  readonly onChange: (changes: SearchWords) => void;
}): ReactNode {
  const { words, onChange } = props;
  const form = useForm({ initialValues: { ...NONE, ...given(words) } });
  const choose = (name: "status" | "range" | "principal", value: string) => {
    form.setFieldValue(name, value);
    onChange({ [name]: value });
  };
  return (
    <form onSubmit={form.onSubmit(onChange)}>
      <Group align="flex-end" mb="md" gap="sm">
        <NativeSelect
          label="Time"
          data={TIMES}
          value={form.values.range}
          onChange={(event) => choose("range", event.currentTarget.value)}
        />
        <NativeSelect
          label="Status"
          data={STATUSES}
          value={form.values.status}
          onChange={(event) => choose("status", event.currentTarget.value)}
        />
        {TEXTS.map(({ name, label }) => (
          <TextInput key={name} label={label} flex="1 1 8rem" maw="14rem" {...form.getInputProps(name)} />
        ))}
        <PrincipalChoice
          value={form.values.principal}
          onChange={(principal) => choose("principal", principal)}
        />
        <Group gap="sm" wrap="nowrap">
          <Button type="submit" variant="default">
            Filter
          </Button>
          <Button
            variant="subtle"
            onClick={() => {
              form.setValues(NONE);
              onChange(NONE);
            }}
          >
            Clear
          </Button>
        </Group>
      </Group>
    </form>
  );
}

function given(words: SearchWords): Partial<typeof NONE> {
  const names = Object.keys(NONE);
  return Object.fromEntries(
    Object.entries(words).filter(([name, word]) => names.includes(name) && word !== undefined),
  );
}
