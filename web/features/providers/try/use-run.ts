import { useEffect, useRef, useState } from "react";
import { endTestKey } from "./api/end-test-key.ts";
import { issueTestKey } from "./api/issue-test-key.ts";
import { type Answer, askGateway, NO_ANSWER } from "./ask-gateway.ts";
import type { Question } from "./gateway-request.ts";

/** What became of a question. */
export type Run =
  | { readonly status: "none" }
  | { readonly status: "running" | "done" | "stopped"; readonly answer: Answer }
  | { readonly status: "failed"; readonly answer: Answer; readonly error: unknown };

/**
 * Runs one question at a time. Without a key it issues one for the run and revokes it at its end, however it ends: leaving
 * the page ends it too.
 */
export function useRun() {
  const [run, setRun] = useState<Run>({ status: "none" });
  const running = useRef<AbortController | null>(null);
  useEffect(() => {
    const leave = () => running.current?.abort();
    window.addEventListener("pagehide", leave);
    return () => {
      window.removeEventListener("pagehide", leave);
      leave();
    };
  }, []);
  const start = async (question: Question, key: string | null) => {
    const stop = new AbortController();
    running.current?.abort();
    running.current = stop;
    let answer = NO_ANSWER;
    const show = (next: Run) => running.current === stop && setRun(next);
    show({ status: "running", answer });
    try {
      await asking(question, key, {
        stop: stop.signal,
        onAnswer: (next) => {
          answer = next;
          show({ status: "running", answer });
        },
      });
      show({ status: "done", answer });
    } catch (error) {
      if (stop.signal.aborted) show({ status: "stopped", answer });
      else show({ status: "failed", answer, error });
    }
  };
  return { run, start, stop: () => running.current?.abort() };
}

/** Asks with this key, or with one of its own. */
async function asking(
  question: Question,
  key: string | null,
  how: { readonly stop: AbortSignal; readonly onAnswer: (answer: Answer) => void },
): Promise<void> {
  if (key !== null) return askGateway(question, { ...how, key, isKeyNew: false });
  const issued = await issueTestKey(question.model);
  try {
    how.stop.throwIfAborted();
    await askGateway(question, { ...how, key: issued.key, isKeyNew: true });
  } finally {
    await endTestKey(issued.id);
  }
}
