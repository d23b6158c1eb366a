import { Alert, Code, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { Snippet } from "#components/snippet.tsx";

const LAN = `resources:
  lan:
    resource_type: HttpServer
    listen_addr: ":8442"
    tls: auto
    auth: [users, keys, cluster]`;
const MAIN = `  main:
    resource_type: HttpServer
    listen_addr: "localhost:8441"
    auth: [users, keys]`;

/** Why no other machine reaches this server, and the lines that change it. */
export function MissingListener(): ReactNode {
  return (
    <Alert variant="outline" color="yellow.8" title="No other machine reaches this server">
      <Stack gap="sm">
        <Text size="sm">
          Members talk over TLS, and no listener here speaks it and lets members in. Add one to{" "}
          <Code>claviger.yaml</Code> in the configuration directory; the running server takes it up by itself.
          Do it before joining: the others remember the certificate.
        </Text>
        <Snippet text={LAN} label="Lines of claviger.yaml" />
        <Text size="sm">
          Where the file declares no listener yet, add the one that was there by default too, below the same{" "}
          <Code>resources</Code>:
        </Text>
        <Snippet text={MAIN} label="The default listener in claviger.yaml" />
        <Text size="sm">
          At a terminal, <Code>claviger cluster init --yes</Code> and <Code>claviger cluster join --yes</Code>{" "}
          write them.
        </Text>
      </Stack>
    </Alert>
  );
}
