import { Button, Group, Stack, Text } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { ToolSnippet } from "#features/first-run/tool-snippet.tsx";
import { CreateKey } from "#features/keys/create-key.tsx";
import { BeginCluster } from "#features/nodes/begin-cluster.tsx";
import { JoinCluster } from "#features/nodes/join-cluster.tsx";
import { AddProvider } from "#features/providers/add-provider.tsx";
import { listModels } from "#features/providers/models/api/list-models.ts";
import { TestProvider } from "#features/providers/test-result.tsx";
import { SetKey } from "#features/server-key/set-key.tsx";
import type { Standing, StepName } from "./standing.ts";

export const TITLES: Readonly<Record<StepName, string>> = {
  server_key: "Set a server key",
  cluster: "Join your servers",
  provider: "Add a provider",
  key: "Give a program its key",
  tool: "Point your tool here",
};

/** What a step is for, and what does it. */
export function StepBody(props: {
  readonly of: StepName;
  readonly standing: Standing;
  /** Something was begun here: the step stays in sight, whatever comes of it. */
  readonly onBegin: () => void;
}): ReactNode {
  const { of: step, standing, onBegin } = props;
  switch (step) {
    case "server_key":
      return <ServerKeyStep isDone={standing.done.has(step)} onBegin={onBegin} />;
    case "cluster":
      return <ClusterStep isDone={standing.done.has(step)} onBegin={onBegin} />;
    case "provider":
      return <ProviderStep names={standing.providers} onBegin={onBegin} />;
    case "key":
      return <KeyStep onBegin={onBegin} />;
    case "tool":
      return <ToolStep providers={standing.providers} isDone={standing.done.has(step)} />;
    default:
      return step satisfies never;
  }
}

function ServerKeyStep(props: { readonly isDone: boolean; readonly onBegin: () => void }): ReactNode {
  const [isOpen, setOpen] = useState(false);
  const begin = () => {
    props.onBegin();
    setOpen(true);
  };
  return (
    <Stack gap="sm" align="flex-start">
      {props.isDone ? (
        <Text>A server key is set. Every start asks for it.</Text>
      ) : (
        <>
          <Text>
            It seals the credentials of your providers. With one, a copied disk gives nothing away, and each
            start waits for the key. Who loses it, and has no recovery key, enters all credentials anew.
            Without one a file on the server opens them.
          </Text>
          <Button onClick={begin}>Set the server key…</Button>
        </>
      )}
      {isOpen && <SetKey onClose={() => setOpen(false)} />}
    </Stack>
  );
}

function ClusterStep(props: { readonly isDone: boolean; readonly onBegin: () => void }): ReactNode {
  const [open, setOpen] = useState<"begin" | "join" | null>(null);
  const close = () => setOpen(null);
  const begin = (what: "begin" | "join") => {
    props.onBegin();
    setOpen(what);
  };
  if (props.isDone)
    return (
      <Group>
        <Text>This server is in a cluster.</Text>
        <Button component={Link} to="/nodes" variant="default" size="xs">
          Its nodes
        </Button>
      </Group>
    );
  return (
    <Stack gap="sm">
      <Text>
        Servers on which the same PIN is typed see each other and use each other’s models. With one server
        there is nothing to do.
      </Text>
      <Group gap="sm">
        <Button onClick={() => begin("begin")}>This is the first server</Button>
        <Button variant="default" onClick={() => begin("join")}>
          Join another
        </Button>
      </Group>
      {open === "begin" && <BeginCluster onClose={close} />}
      {open === "join" && <JoinCluster onClose={close} />}
    </Stack>
  );
}

function ProviderStep(props: { readonly names: readonly string[]; readonly onBegin: () => void }): ReactNode {
  const { names } = props;
  const [open, setOpen] = useState<{ readonly test: string } | "add" | null>(null);
  const [first] = names;
  const begin = (what: { readonly test: string } | "add") => {
    props.onBegin();
    setOpen(what);
  };
  return (
    <Stack gap="sm">
      <Text>
        A provider is where requests go: a service with a credential of yours, or a server of your own such as
        Ollama. The credential is sealed, and never shown again.
      </Text>
      {first !== undefined && (
        <Text>
          There {names.length === 1 ? "is" : "are"}: {names.join(", ")}.
        </Text>
      )}
      <Group gap="sm">
        <Button variant={first === undefined ? "filled" : "default"} onClick={() => begin("add")}>
          {first === undefined ? "Add a provider" : "Add another"}
        </Button>
        {first !== undefined && (
          <Button variant="default" onClick={() => begin({ test: first })}>
            Test {first}
          </Button>
        )}
      </Group>
      {open === "add" && (
        <AddProvider onClose={() => setOpen(null)} onAdded={(name) => setOpen({ test: name })} />
      )}
      {open !== null && open !== "add" && <TestProvider of={open.test} onClose={() => setOpen(null)} />}
    </Stack>
  );
}

function KeyStep(props: { readonly onBegin: () => void }): ReactNode {
  const [isOpen, setOpen] = useState(false);
  const begin = () => {
    props.onBegin();
    setOpen(true);
  };
  return (
    <Stack gap="sm" align="flex-start">
      <Text>
        A program presents a key of its own in place of the provider’s. It says who asks, holds that program’s
        limits, and is revoked alone.
      </Text>
      <Button onClick={begin}>New key</Button>
      {isOpen && <CreateKey onClose={() => setOpen(false)} />}
    </Stack>
  );
}

function ToolStep(props: { readonly providers: readonly string[]; readonly isDone: boolean }): ReactNode {
  const [provider = "PROVIDER"] = props.providers;
  const models = useInfiniteQuery({ ...listModels({ provider }), enabled: props.providers.length > 0 });
  const model = models.data?.pages[0]?.data[0]?.id ?? `${provider}/MODEL`;
  return (
    <Stack gap="sm" w="100%">
      <Text role="status">
        {props.isDone
          ? "The first request has arrived. This is how further tools are pointed here:"
          : "Change two lines of your tool: the address, and the key. The first request shows here by itself."}
      </Text>
      <ToolSnippet model={model} />
    </Stack>
  );
}
