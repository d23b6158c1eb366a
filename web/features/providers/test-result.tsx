import { Alert, Button, Group, Loader, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { FormModal } from "#components/form-modal.tsx";
import { ProblemAlert } from "#components/problem-alert.tsx";
import { Quantity } from "#components/quantity.tsx";
import { StateBadge } from "#components/state-badge.tsx";
import type { Operations } from "#lib/api-types.ts";
import { testProvider } from "./api/test-provider.ts";

type Verdict = Operations["POST /api/v1/providers/{name}/test"]["response"];

/** Asks the upstream now, and says what came of it. */
export function TestProvider(props: { readonly of: string; readonly onClose: () => void }): ReactNode {
  const asking = useQuery({ ...testProvider(props.of), refetchOnWindowFocus: false });
  return (
    <FormModal title={`Test of ${props.of}`} onClose={props.onClose}>
      <Stack>
        <div aria-live="polite">
          {asking.isFetching ? (
            <Group gap="sm">
              <Loader size="sm" aria-hidden />
              <Text>Asking the upstream, at most 15 s…</Text>
            </Group>
          ) : (
            asking.data !== undefined && <Found verdict={asking.data} />
          )}
          <ProblemAlert error={asking.error} />
        </div>
        <Group justify="flex-end">
          <Button variant="default" onClick={props.onClose}>
            Close
          </Button>
          <Button disabled={asking.isFetching} onClick={() => void asking.refetch()}>
            Test again
          </Button>
        </Group>
      </Stack>
    </FormModal>
  );
}

function Found({ verdict }: { readonly verdict: Verdict }): ReactNode {
  if (!verdict.ok)
    return (
      <Alert color="red.9" variant="outline" title="It does not work">
        {verdict.error ?? "The upstream gave no reason."}
      </Alert>
    );
  return (
    <Stack gap="xs" align="flex-start">
      <StateBadge tone="good">It answers</StateBadge>
      <Text>
        In <Quantity value={verdict.latency_ms} unit="ms" />
        {verdict.models !== undefined && (
          <>
            , and lists <Quantity value={verdict.models} unit="count" />{" "}
            {verdict.models === 1 ? "model" : "models"}
          </>
        )}
        .
      </Text>
    </Stack>
  );
}
