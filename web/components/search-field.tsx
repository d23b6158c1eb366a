import { TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { type ReactNode, useState } from "react";

const TYPING_MS = 250;

/** Narrows a list by a part of a name; `onChange` hears of it once nothing more is typed. */
export function SearchField(props: {
  readonly placeholder: string;
  readonly initial: string;
  readonly onChange: (text: string) => void;
}): ReactNode {
  const [typed, setTyped] = useState(props.initial);
  const tell = useDebouncedCallback((text: string) => props.onChange(text.trim()), TYPING_MS);
  return (
    <TextInput
      label="Search"
      placeholder={props.placeholder}
      type="search"
      leftSection={<IconSearch size={16} aria-hidden />}
      value={typed}
      onChange={(event) => {
        setTyped(event.currentTarget.value);
        tell(event.currentTarget.value);
      }}
      flex="1 1 14rem"
      maw="24rem"
    />
  );
}
