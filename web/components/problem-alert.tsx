import { Alert, Button, Group, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { ApiProblem } from "#lib/api-problem.ts";
import { waitText } from "#lib/relative-time.ts";

/** A refusal of the server in its own words, with what helps to find it in the log. Nothing where `error` is null. */
export function ProblemAlert(props: { readonly error: unknown; readonly retry?: () => unknown }): ReactNode {
  const { error, retry } = props;
  if (error === null || error === undefined) return null;
  const problem = error instanceof ApiProblem ? error : null;
  const detail = error instanceof Error ? error.message : String(error);
  return (
    <Alert
      role="alert"
      color="red.9"
      variant="outline"
      icon={<IconAlertTriangle aria-hidden />}
      title={problem?.title ?? "This page made a mistake."}
    >
      {detail !== problem?.title && <Text size="sm">{detail}</Text>}
      {problem?.retryAfterS != null && <Text size="sm">Try again in {waitText(problem.retryAfterS)}.</Text>}
      {problem?.requestId != null && (
        <Text size="xs" c="dimmed">
          {problem.code}, request {problem.requestId}
        </Text>
      )}
      {retry !== undefined && (
        <Group mt="xs">
          <Button size="xs" variant="default" onClick={() => void retry()}>
            Try again
          </Button>
        </Group>
      )}
    </Alert>
  );
}
