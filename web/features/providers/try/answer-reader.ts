import type { Dialect } from "./gateway-request.ts";
import { numberAt, textAt } from "./json-path.ts";

/** What one event of a stream adds; tokens are the sums so far, null where it tells none. */
interface Piece {
  readonly text: string;
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
}

/** Reads one event in the dialect of the API that was asked. */
export function pieceOf(dialect: Dialect, event: unknown): Piece {
  return dialect === "anthropic" ? ofMessages(event) : ofChat(event);
}

/** https://platform.openai.com/docs/api-reference/chat-streaming */
function ofChat(event: unknown): Piece {
  return {
    text: textAt(event, "choices", 0, "delta", "content") ?? "",
    inputTokens: numberAt(event, "usage", "prompt_tokens"),
    outputTokens: numberAt(event, "usage", "completion_tokens"),
  };
}

/** https://docs.anthropic.com/en/docs/build-with-claude/streaming */
function ofMessages(event: unknown): Piece {
  return {
    text: textAt(event, "delta", "text") ?? "",
    inputTokens: numberAt(event, "message", "usage", "input_tokens"),
    outputTokens: numberAt(event, "usage", "output_tokens"),
  };
}
