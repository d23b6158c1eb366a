import { TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
import { useSearchWords } from "#lib/search-words.ts";

const TYPING_MS = 250;
const WHOLE_KEY = /(sk-claviger-[0-9A-Za-z]{12})_\w*/g;

/** What the server is to look for in a list: it stands in the address as `search`, once nobody types any more. */
export function ListSearch(props: { readonly placeholder: string }): ReactNode {
  const [{ search: found = "" }, change] = useSearchWords();
  const [typed, setTyped] = useState(found);
  const [handedOn, setHandedOn] = useState(found);
  const [shown, setShown] = useState(found);
  if (found !== shown) {
    setShown(found);
    // A link led to other words than those that were typed here.
    if (found !== handedOn) setTyped(found);
  }
  const handOn = useDebouncedCallback((search: string) => {
    setHandedOn(search);
    change({ search });
  }, TYPING_MS);
  return (
    <TextInput
      label="Search"
      placeholder={props.placeholder}
      type="search"
      leftSection={<IconSearch size={16} aria-hidden />}
      value={typed}
      onChange={(event) => {
        // A key that was put in by mistake must not stand in an address.
        const text = event.currentTarget.value.replaceAll(WHOLE_KEY, "$1");
        setTyped(text);
        handOn(text.trim());
      }}
      flex="1 1 14rem"
      maw="24rem"
    />
  );
}
