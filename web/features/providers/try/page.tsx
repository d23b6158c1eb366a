import { SimpleGrid } from "@mantine/core";
import { useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { PageHeader } from "#components/page-header.tsx";
import { AnswerSection } from "./answer-section.tsx";
import { QuestionSection } from "./question-section.tsx";
import { useRun } from "./use-run.ts";

export default function TryPage(): ReactNode {
  const { model = "" }: { model?: string } = useSearch({ strict: false });
  const { run, start, stop } = useRun();
  return (
    <>
      <PageHeader
        title="Try it"
        about="One message to a model, sent as a program sends it: with a key, through the gateway, logged and counted."
      />
      <SimpleGrid cols={{ base: 1, lg: 2 }} style={{ alignItems: "start" }}>
        <QuestionSection
          model={model}
          isRunning={run.status === "running"}
          onAsk={(question, key) => void start(question, key)}
          onStop={stop}
        />
        <AnswerSection run={run} />
      </SimpleGrid>
    </>
  );
}
