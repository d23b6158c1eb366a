import { notifications } from "@mantine/notifications";
import { ApiProblem } from "./api-problem.ts";

const CLOSE = { "aria-label": "Close the message" };

/** Says that something was done. */
export function tellDone(message: string): void {
  notifications.show({ message, color: "green.9", withBorder: true, closeButtonProps: CLOSE });
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
    autoClose: 10_000,
    role: "alert",
    closeButtonProps: CLOSE,
  });
}
