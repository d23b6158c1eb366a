import { Select, Stack, Text } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { findPrincipals, type Principal } from "./api/find-principals.ts";

const TYPING_MS = 250;

/** Whose requests: a key or identity, found by its name as one types; its id is what is chosen, empty for all. */
export function PrincipalChoice(props: {
  readonly value: string;
  readonly onChange: (id: string) => void;
}): ReactNode {
  const { value, onChange } = props;
  const [typed, setTyped] = useState("");
  const known = useQuery({ ...findPrincipals(value), enabled: value !== "" });
  const chosen: Choosable = known.data?.data.find(({ id }) => id === value) ?? unknown(value);
  // What stands there when something is chosen narrows nothing.
  const wanted = value !== "" && typed === chosen.name ? "" : typed.trim();
  const [search] = useDebouncedValue(wanted, TYPING_MS);
  const found = useQuery(findPrincipals(search)).data?.data ?? [];
  const others = found.filter(({ id }) => id !== value);
  const isKnown = [chosen, ...found].some(({ id, name }) => id === wanted || name === wanted);
  const options: readonly Choosable[] = [
    ...(value === "" ? [] : [chosen]),
    ...others,
    // Of what is not known any more there are requests still.
    ...(wanted === "" || isKnown ? [] : [unknown(wanted)]),
  ];
  const byId = new Map(options.map((one) => [one.id, one]));
  // Whoever empties the field by the keyboard wants all again.
  const type = (text: string) => {
    setTyped(text);
    if (text === "" && value !== "") onChange("");
  };
  return (
    <Select
      label="Key or identity"
      placeholder="All; type a name"
      data={options.map(({ id, name }) => ({ value: id, label: name }))}
      filter={({ options: all }) => all}
      renderOption={({ option }) => <Choice of={byId.get(option.value) ?? unknown(option.value)} />}
      searchable
      searchValue={typed}
      onSearchChange={type}
      clearable
      clearButtonProps={{ "aria-label": "Of all keys and identities" }}
      value={value === "" ? null : value}
      onChange={(id) => onChange(id ?? "")}
    />
  );
}

/** One that can be chosen; who is neither key nor identity may have been one. */
interface Choosable {
  readonly id: string;
  readonly name: string;
  readonly kind: Principal["kind"] | "unknown";
  readonly revoked: boolean;
}

function unknown(id: string): Choosable {
  return { id, name: id, kind: "unknown", revoked: false };
}

function Choice({ of: { id, name, kind, revoked } }: { readonly of: Choosable }): ReactNode {
  const about = kind === "unknown" ? "taken for an id" : `${id}${revoked ? ", revoked" : ""}`;
  return (
    <Stack gap={0}>
      <Text size="sm">{name}</Text>
      <Text size="xs" c="dimmed">
        {about}
      </Text>
    </Stack>
  );
}
