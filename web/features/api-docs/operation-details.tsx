import { Code, List, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { Snippet } from "#components/snippet.tsx";
import { curlOf, type Operation } from "./operation.ts";

const RIGHTS: Readonly<Record<string, string>> = {
  open: "Nobody has to say who he is.",
  self: "For whoever signed in, about himself.",
  control: "On the machine itself only, over the control socket.",
};

/** What one operation takes and gives. */
export function OperationDetails({ of: operation }: { readonly of: Operation }): ReactNode {
  const { action, parameters, body, answer, answers } = operation;
  return (
    <Stack gap="sm">
      <Text size="sm">
        {RIGHTS[action] ?? (
          <>
            Asks for the right <Code>{action}</Code>.
          </>
        )}
        {operation.openWhileLocked && " Works while the server is locked."}
      </Text>
      {parameters.length > 0 && (
        <Part title="Parameters">
          <List size="sm">
            {parameters.map((each) => (
              <List.Item key={`${each.in} ${each.name}`}>
                <Code>{each.name}</Code> in the {each.in}
                {each.required ? "" : ", optional"}
              </List.Item>
            ))}
          </List>
        </Part>
      )}
      <Part title="At a terminal">
        <Snippet label={`${operation.name} at a terminal`} text={curlOf(operation, location.origin)} />
      </Part>
      {body !== undefined && (
        <Part title="Body">
          <Snippet label={`Body of ${operation.name}`} text={body} />
        </Part>
      )}
      {answer !== undefined && (
        <Part title="Answer">
          <Snippet label={`Answer of ${operation.name}`} text={answer} />
        </Part>
      )}
      <Part title="Statuses">
        <List size="sm">
          {answers.map(({ status, about }) => (
            <List.Item key={status}>
              <b>{status}</b> <WithCode text={about} />
            </List.Item>
          ))}
        </List>
      </Part>
    </Stack>
  );
}

function Part(props: { readonly title: string; readonly children: ReactNode }): ReactNode {
  return (
    <Stack gap={4}>
      <Text size="sm" c="dimmed">
        {props.title}
      </Text>
      {props.children}
    </Stack>
  );
}

/** What stands between backticks is a name. */
function WithCode(props: { readonly text: string }): ReactNode {
  return props.text.split("`").map((part, at) => (at % 2 === 0 ? part : <Code key={part}>{part}</Code>));
}
