import { Code, Drawer, Group, Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { CopyButton } from "#components/copy.tsx";
import { Facts } from "#components/facts.tsx";
import { CertificateFacts } from "./certificate-facts.tsx";
import { State } from "./columns.tsx";
import { entrantsOf, type Listener } from "./listener.ts";

const SOURCES = {
  file: "Declared in claviger.yaml, and changed there",
  flag: "Named by --listen when the server was started, in place of those of the file",
  default: "There as long as claviger.yaml declares no listener",
} as const;

/** All of one listener, at the side of the list. */
export function Details(props: { readonly of: Listener; readonly onClose: () => void }): ReactNode {
  const { of: listener, onClose } = props;
  return (
    <Drawer.Root opened onClose={onClose} position="right" size="md">
      <Drawer.Overlay />
      <Drawer.Content>
        {/* Not Drawer.Header: that would be a second banner of the page. */}
        <Group justify="space-between" wrap="nowrap" p="md" pb={0}>
          <Drawer.Title fw={600}>{listener.name}</Drawer.Title>
          <Drawer.CloseButton aria-label="Close" />
        </Group>
        <Drawer.Body pt="md">
          <Stack>
            <Facts cols={1} of={factsOf(listener)} />
            {listener.certificates.map((certificate) => (
              <Stack key={certificate.fingerprint} gap="sm">
                <Title order={2} size="h5">
                  Certificate of {certificate.names[0] ?? certificate.subject}
                </Title>
                <CertificateFacts of={certificate} />
              </Stack>
            ))}
          </Stack>
        </Drawer.Body>
      </Drawer.Content>
    </Drawer.Root>
  );
}

function factsOf(listener: Listener) {
  const { source, reason, addresses, urls, loopback_only, serve, allowed_hosts, allowed_origins } = listener;
  return [
    { name: "State", value: <State of={listener} />, ...(reason !== null && { about: reason }) },
    { name: "From", value: SOURCES[source] },
    {
      name: "Addresses",
      value: <Lines of={addresses.map(({ configured, bound }) => addressText(configured, bound))} />,
      about: loopback_only ? "Reached from this machine alone" : "Reached from other machines too",
    },
    ...(urls.length === 0 ? [] : [{ name: "Reached at", value: <Urls of={urls} /> }]),
    { name: "Who gets in", value: <Lines of={entrantsOf(listener)} /> },
    { name: "Serves", value: serve.join(", ") },
    {
      name: "Answers for",
      value: allowed_hosts.join(", ") || "no further names",
      about: "Beside localhost, the machine's name and IP addresses; asked by another name it answers 421",
    },
    { name: "Pages of other origins", value: allowed_origins.join(", ") || "none" },
    { name: "TLS", value: tlsText(listener) },
  ];
}

function addressText(configured: string, bound: string | null): string {
  if (bound === null) return `${configured}, not open`;
  return bound === configured ? bound : `${configured}, which became ${bound}`;
}

function tlsText({ tls, loopback_only }: Listener): string {
  switch (tls) {
    case "off":
      return loopback_only
        ? "Off: nothing of it leaves this machine"
        : "Off: whoever is on the way reads along, keys too";
    case "auto":
      return "The server's own certificate, renewed 30 days before its end";
    case "files":
      return "Certificates of yours, read again when their files change";
    default:
      return tls satisfies never;
  }
}

function Urls(props: { readonly of: readonly string[] }): ReactNode {
  return (
    <Stack gap={2}>
      {props.of.map((url) => (
        <Group key={url} gap={4} wrap="nowrap">
          <Code style={{ overflowWrap: "anywhere" }}>{url}</Code>
          <CopyButton value={url} label={`Copy ${url}`} />
        </Group>
      ))}
    </Stack>
  );
}

function Lines(props: { readonly of: readonly string[] }): ReactNode {
  return (
    <Stack gap={2}>
      {props.of.map((line) => (
        <Text key={line}>{line}</Text>
      ))}
    </Stack>
  );
}
