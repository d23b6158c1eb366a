import { Accordion, Button, Group, Skeleton, Stack, Text } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { PageHeader } from "#components/page-header.tsx";
import { ProblemAlert } from "#components/problem-alert.tsx";
import { Section } from "#components/section.tsx";
import { StateBadge } from "#components/state-badge.tsx";
import { useChangeFirstRun } from "#features/first-run/api/change-first-run.ts";
import { clusterStatus } from "#features/nodes/api/cluster-status.ts";
import { useEventRefresh } from "#lib/events.ts";
import { isSettled, nextStep, STEPS, type Standing, type StepName, useStanding } from "./standing.ts";
import { StepBody, TITLES } from "./step-body.tsx";

/** Leads the owner of a new server from the first sign-in to the first answer. */
export default function WelcomePage(): ReactNode {
  const { standing, error } = useStanding();
  const change = useChangeFirstRun();
  const navigate = useNavigate();
  useEventRefresh(["node"], [clusterStatus().queryKey]);
  const end = () =>
    standing !== null &&
    change.mutate({ ...standing.run, open: false }, { onSuccess: () => void navigate({ to: "/" }) });
  return (
    <>
      <PageHeader
        title="First steps"
        about="From a new server to the first answer. Leave out what you do not need: each step has a page of its own."
      >
        {standing?.run.open === true && nextStep(standing) !== null && (
          <Button variant="default" onClick={end}>
            Do not show this again
          </Button>
        )}
      </PageHeader>
      <Stack gap="lg" maw="52rem">
        <ProblemAlert error={error ?? change.error} />
        {standing === null ? (
          <Skeleton height={320} role="status" aria-busy aria-label="First steps: loading" />
        ) : (
          <Steps
            standing={standing}
            skip={(step) =>
              change.mutate({ ...standing.run, skipped: [...new Set([...standing.run.skipped, step])] })
            }
          />
        )}
        {standing !== null && nextStep(standing) === null && (
          <Section title="That is all">
            <Text>What uses this server, and what it costs, is on the overview from now on.</Text>
            <Group>
              {standing.run.open ? (
                <Button onClick={end} loading={change.isPending}>
                  Go to the overview
                </Button>
              ) : (
                <Button component={Link} to="/">
                  Go to the overview
                </Button>
              )}
            </Group>
          </Section>
        )}
      </Stack>
    </>
  );
}

/** The steps one below the other; the one that is next is open, in the end the last, unless another was opened by hand. */
function Steps(props: { readonly standing: Standing; readonly skip: (step: StepName) => void }): ReactNode {
  const { standing, skip } = props;
  const next = nextStep(standing);
  const [chosen, choose] = useState<{ readonly step: string | null } | null>(null);
  return (
    <Accordion
      variant="contained"
      transitionDuration={0}
      // What is open is not filled: snippets would not stand out.
      styles={{ item: { backgroundColor: "var(--mantine-color-body)" } }}
      order={2}
      value={chosen === null ? (next ?? "tool") : chosen.step}
      onChange={(step) => choose({ step })}
    >
      {STEPS.map((step, at) => (
        <Accordion.Item key={step} value={step}>
          <Accordion.Control>
            <Group justify="space-between" wrap="nowrap" pr="sm">
              <Text fw={600}>
                {at + 1}. {TITLES[step]}
              </Text>
              <StepState of={step} standing={standing} />
            </Group>
          </Accordion.Control>
          <Accordion.Panel>
            <Stack gap="md" align="flex-start">
              <StepBody of={step} standing={standing} onBegin={() => choose({ step })} />
              {isSettled(standing, step) ? (
                next !== null && (
                  <Button variant="default" onClick={() => choose(null)}>
                    Next step
                  </Button>
                )
              ) : (
                <Button
                  variant="subtle"
                  size="compact-sm"
                  onClick={() => {
                    choose(null);
                    skip(step);
                  }}
                >
                  Leave this out
                </Button>
              )}
            </Stack>
          </Accordion.Panel>
        </Accordion.Item>
      ))}
    </Accordion>
  );
}

function StepState(props: { readonly of: StepName; readonly standing: Standing }): ReactNode {
  const { done, run } = props.standing;
  if (done.has(props.of)) return <StateBadge tone="good">done</StateBadge>;
  return run.skipped.includes(props.of) ? (
    <StateBadge tone="neutral">left out</StateBadge>
  ) : (
    <StateBadge tone="warning">open</StateBadge>
  );
}
