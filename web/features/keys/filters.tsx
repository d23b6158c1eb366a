import { Group, NativeSelect } from "@mantine/core";
import type { ReactNode } from "react";
import { ListSearch } from "#components/list-search.tsx";
import { type SearchWords, useSearchWords } from "#lib/search-words.ts";
import type { KeyFilter } from "./api/list-keys.ts";

const STATES = [
  { value: "", label: "In force" },
  { value: "replaced", label: "Replaced" },
  { value: "expired", label: "Expired" },
  { value: "revoked", label: "Revoked" },
  { value: "all", label: "All" },
] as const;

/** Which keys the words of the address ask for: those in force unless they say. */
export function filterIn({ search, state: asked }: SearchWords): KeyFilter {
  const state = STATES.map(({ value }) => value).find((each) => each === asked) ?? "";
  return {
    search: search === "" ? undefined : search,
    state: state === "all" ? undefined : state === "" ? "in_force" : state,
  };
}

/** What the list of keys is narrowed to. */
export function Filters(): ReactNode {
  const [words, change] = useSearchWords();
  return (
    <Group align="flex-end" mb="md" gap="sm">
      <ListSearch placeholder="A part of the name, or how the key begins" />
      <NativeSelect
        label="State"
        data={STATES.map(({ value, label }) => ({ value, label }))}
        value={STATES.some(({ value }) => value === words.state) ? words.state : ""}
        onChange={(event) => change({ state: event.currentTarget.value })}
      />
    </Group>
  );
}
