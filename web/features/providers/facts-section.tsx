import { Code, Table, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { Section } from "#components/section.tsx";
import { Time } from "#components/time.tsx";
import { FileBadge } from "./columns.tsx";
import { type Provider, TIMEOUTS } from "./provider-terms.ts";

/** Where a provider is, how it is reached, and who declared it. */
export function FactsSection({ of: provider }: { readonly of: Provider }): ReactNode {
  return (
    <Section title="Settings" actions={provider.source === "file" && <FileBadge />}>
      {provider.source === "file" && (
        <Text c="dimmed">
          Declared in the configuration file: change the resource <Code>{provider.name}</Code> of{" "}
          <Code>claviger.yaml</Code>, and it is in force when the file is saved, or after{" "}
          <Code>claviger config reload</Code>.
        </Text>
      )}
      <Table variant="vertical" layout="fixed">
        <Table.Tbody>
          {factsOf(provider).map(([label, value]) => (
            <Table.Tr key={label}>
              <Table.Th w={{ base: 120, sm: 220 }} scope="row">
                {label}
              </Table.Th>
              <Table.Td style={{ overflowWrap: "anywhere", whiteSpace: "pre-line" }}>{value}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Section>
  );
}

function factsOf({
  kind,
  base_url,
  options,
  created_at,
}: Provider): readonly (readonly [string, ReactNode])[] {
  const headers = Object.entries(options.extra_headers ?? {});
  const { credential_header: header, methods, path_prefixes: prefixes } = options;
  return [
    ["Kind", <Code key="kind">{kind}</Code>],
    ["Base URL", base_url],
    ...(kind === "http"
      ? ([
          [
            "Credential header",
            header === undefined ? "Authorization: Bearer …" : `${header.name}: ${header.prefix}…`,
          ],
          ["Methods", methods?.join(", ") ?? "all"],
          ["Paths", prefixes?.join("\n") ?? "every path"],
        ] as const)
      : []),
    ...TIMEOUTS.flatMap(({ name, label }) => {
      const value = options[name];
      return value === undefined
        ? []
        : [[`Timeout: ${label.toLowerCase()}`, `${value.toLocaleString()} ms`] as const];
    }),
    ...(headers.length > 0
      ? [["Headers", headers.map(([name, value]) => `${name}: ${value}`).join("\n")] as const]
      : []),
    ...(options.proxy === undefined ? [] : [["Proxy", options.proxy] as const]),
    ...(options.ca_file === undefined ? [] : [["Certificate authorities", options.ca_file] as const]),
    ["Added", <Time key="added" at={created_at} />],
  ];
}
