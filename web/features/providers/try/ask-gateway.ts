import { readEvents } from "#lib/event-stream.ts";
import { pieceOf } from "./answer-reader.ts";
import { gatewayProblem, streamProblem } from "./gateway-problem.ts";
import { bodyFor, pathFor, type Question } from "./gateway-request.ts";

/** What is known of an answer so far. */
export interface Answer {
  readonly text: string;
  readonly requestId: string | null;
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  /** Until the first piece came; null before. */
  readonly firstByteMs: number | null;
  /** Until the latest piece, and of a whole answer until its end. */
  readonly elapsedMs: number;
}

export const NO_ANSWER: Answer = {
  text: "",
  requestId: null,
  inputTokens: null,
  outputTokens: null,
  firstByteMs: null,
  elapsedMs: 0,
};

/**
 * Asks the gateway as a program would, with a key and no cookie; `onAnswer` hears the answer grow. Throws ApiProblem for a
 * refusal and for an error in the stream, and what `stop` aborts with.
 */
export async function askGateway(
  question: Question,
  how: {
    readonly key: string;
    /** Made for this question alone. */
    readonly isKeyNew: boolean;
    readonly stop: AbortSignal;
    readonly onAnswer: (answer: Answer) => void;
  },
): Promise<void> {
  const startedMs = performance.now();
  const response = await fetch(pathFor(question), {
    method: "POST",
    credentials: "omit",
    redirect: "error",
    headers: { authorization: `Bearer ${how.key}`, "content-type": "application/json" },
    body: JSON.stringify(bodyFor(question)),
    signal: how.stop,
  });
  if (!response.ok || response.body === null) throw await gatewayProblem(response, how.isKeyNew);
  let answer: Answer = { ...NO_ANSWER, requestId: response.headers.get("x-request-id") };
  how.onAnswer(answer);
  await readEvents(response.body, {
    onEvent: ({ data }) => {
      const problem = streamProblem(data, answer.requestId);
      if (problem !== null) throw problem;
      const piece = pieceOf(question.dialect, data);
      const elapsedMs = performance.now() - startedMs;
      answer = {
        ...answer,
        text: answer.text + piece.text,
        inputTokens: piece.inputTokens ?? answer.inputTokens,
        outputTokens: piece.outputTokens ?? answer.outputTokens,
        firstByteMs: answer.firstByteMs ?? elapsedMs,
        elapsedMs,
      };
      how.onAnswer(answer);
    },
  });
  how.onAnswer({ ...answer, elapsedMs: performance.now() - startedMs });
}
