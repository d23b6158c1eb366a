import { Code, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { Section } from "#components/section.tsx";
import { Snippet } from "#components/snippet.tsx";
import type { Listener } from "./listener.ts";

const EXAMPLE = `resources:
  network:
    resource_type: HttpServer
    listen_addr: ":8442"
    tls: auto
    auth: [users, keys]`;
const DEFAULT = `  main:
    resource_type: HttpServer
    listen_addr: "localhost:8441"
    auth: [users, keys, cluster, anonymous]`;
const COMMANDS = `claviger config check
claviger config reload
claviger config listeners`;

/** How one more is declared, and what that does to those there are, which are from `sources`. */
export function AddListener(props: { readonly sources: readonly Listener["source"][] }): ReactNode {
  const { sources } = props;
  return (
    <Section title="One more listener">
      {sources.includes("flag") && (
        <Text size="sm">
          This server was started with <Code>--listen</Code>, which stands in the place of the listeners of
          the file: start it without, and those hold.
        </Text>
      )}
      <Text size="sm">
        Listeners are declared in <Code>claviger.yaml</Code>. One is open as soon as the file is saved, and
        the others drop nothing. This one is reached from other machines, over TLS with a certificate that the
        server makes:
      </Text>
      <Snippet label="A listener in claviger.yaml" text={EXAMPLE} />
      {sources.includes("default") && (
        <>
          <Text size="sm">
            With the first that the file declares, the one there is by default ends. To keep it, add it below
            the same <Code>resources</Code>:
          </Text>
          <Snippet label="The default listener in claviger.yaml" text={DEFAULT} />
        </>
      )}
      <Text size="sm">
        Beyond this machine plain HTTP is refused unless the listener says <Code>allow_plain_http: true</Code>
        , and authentication that is off unless it says <Code>allow_unauthenticated_remote: true</Code>. When
        one address cannot be opened, everything stays as it was.
      </Text>
      <Text size="sm">At a terminal, what is wrong with the file, reading it at once, and this list:</Text>
      <Snippet label="The same at a terminal" text={COMMANDS} />
    </Section>
  );
}
