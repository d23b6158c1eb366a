import { Box, Code, SimpleGrid, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { ProblemAlert } from "#components/problem-alert.tsx";
import { Quantity } from "#components/quantity.tsx";
import { Section } from "#components/section.tsx";
import { StateBadge } from "#components/state-badge.tsx";
import { useMe } from "#features/session/me.ts";
import { mayDo } from "#lib/permissions.ts";
import type { Unit } from "#lib/units.ts";
import { findRequest } from "./api/find-request.ts";
import type { Answer } from "./ask-gateway.ts";
import type { Run } from "./use-run.ts";

const SHOWN = {
  running: { tone: "warning", text: "Answering…" },
  done: { tone: "good", text: "Answered" },
  stopped: { tone: "neutral", text: "Stopped" },
  failed: { tone: "bad", text: "Failed" },
} as const;

/** The answer as it comes, and what it took. */
export function AnswerSection({ run }: { readonly run: Run }): ReactNode {
  const shown = run.status === "none" ? null : SHOWN[run.status];
  return (
    <Section
      title="The answer"
      actions={
        <div role="status">{shown !== null && <StateBadge tone={shown.tone}>{shown.text}</StateBadge>}</div>
      }
    >
      {run.status === "none" ? (
        <Text c="dimmed">It appears here piece by piece, with its tokens, its cost and its times.</Text>
      ) : (
        <Stack>
          {run.status === "failed" && <ProblemAlert error={run.error} />}
          <AnswerText text={run.answer.text} isGrowing={run.status === "running"} />
          <Figures answer={run.answer} isOver={run.status !== "running"} />
        </Stack>
      )}
    </Section>
  );
}

function AnswerText(props: { readonly text: string; readonly isGrowing: boolean }): ReactNode {
  if (props.text === "" && !props.isGrowing) return null;
  return (
    <Box
      role="region"
      aria-label="Text of the answer"
      aria-busy={props.isGrowing}
      tabIndex={0}
      mah="24rem"
      mih="3rem"
      style={{ overflowY: "auto", whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}
    >
      {props.text}
    </Box>
  );
}

/** What the stream told, and of a request that is over what the server wrote down of it. */
function Figures({ answer, isOver }: { readonly answer: Answer; readonly isOver: boolean }): ReactNode {
  const mayRead = mayDo(useMe(), "requests.read");
  const { requestId } = answer;
  const { data: row } = useQuery({
    ...findRequest(requestId ?? ""),
    enabled: isOver && mayRead && requestId !== null,
  });
  if (requestId === null) return null;
  const figures: readonly (readonly [string, number | null, Unit])[] = [
    ["Tokens in", row?.input_tokens ?? answer.inputTokens, "tokens"],
    ["Tokens out", row?.output_tokens ?? answer.outputTokens, "tokens"],
    ["Cost", row?.cost_usd ?? null, "usd"],
    ["First byte", answer.firstByteMs, "ms"],
    ["Total", isOver ? answer.elapsedMs : null, "ms"],
  ];
  return (
    <Stack gap="xs">
      <SimpleGrid cols={{ base: 2, xs: 3, sm: 5 }} component="dl" m={0}>
        {figures.map(([label, value, unit]) => (
          <div key={label}>
            <Text component="dt" size="xs" c="dimmed">
              {label}
            </Text>
            <Text component="dd" m={0} fw={500}>
              <Quantity value={value} unit={unit} none={isOver ? "unknown" : "…"} />
            </Text>
          </div>
        ))}
      </SimpleGrid>
      <Text size="xs" c="dimmed">
        Request <Code>{requestId}</Code>
      </Text>
    </Stack>
  );
}
