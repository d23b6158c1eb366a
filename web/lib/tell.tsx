import { notifications } from "@mantine/notifications";
import type { ReactNode } from "react";
import { ApiProblem } from "./api-problem.ts";

const CLOSE = { "aria-label": "Close the message" };

/** Says that something was done. */
export function tellDone(message: string): void {
  notifications.show({ message, color: "green.9", withBorder: true, closeButtonProps: CLOSE });
}

/** Says what came of something that may have been done in part; it stays until it is closed. */
export function tellOutcome(outcome: {
  readonly title: string;
  readonly message: ReactNode;
  readonly isWhole: boolean;
}): void {
  const { title, message, isWhole } = outcome;
  const color = isWhole ? "green.9" : "yellow.8";
  notifications.show({ title, message, color, withBorder: true, autoClose: false, closeButtonProps: CLOSE });
}

/** Says that something failed, and the id by which the server's log knows it. */
export function tellProblem(error: unknown): void {
  const problem = error instanceof ApiProblem ? error : null;
  const message = error instanceof Error ? error.message : String(error);
  const id = problem?.requestId == null ? "" : ` (${problem.requestId})`;
  notifications.show({
    title: problem?.title === message ? null : problem?.title,
    message: `${message}${id}`,
    color: "red.9",
    withBorder: true,
    closeButtonProps: CLOSE,
    autoClose: 10_000,
    role: "alert",
  });
}
