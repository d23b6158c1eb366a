import type { UpstreamHandler } from "#platform/egress/exchange.ts";
import { AppError } from "#platform/lib/error.ts";
import type { ClientAnswer } from "../client-answer.ts";
import { headerPairs } from "../headers.ts";
import type { Provider } from "../providers/providers.ts";
import type { Redactor, StreamRedactor } from "../redact.ts";
import { apiAnswerHeaders } from "./answer-headers.ts";

interface ApiReplyParts {
  readonly answer: ClientAnswer;
  readonly api: Provider;
  /** What the upstream was asked for: path and query. */
  readonly target: string;
  readonly redactor: Redactor;
  readonly variesByOrigin: boolean;
  /** Told when the upstream refuses the credential, or says that it is used up. */
  readonly onRefused: (status: number, rawHeaders: readonly string[]) => void;
}

/** Carries the answer of a published API to the client as it comes: its bytes, and its cut if it is cut. */
export class ApiReply implements UpstreamHandler {
  readonly #parts: ApiReplyParts;
  #redaction: StreamRedactor | undefined;

  constructor(parts: ApiReplyParts) {
    this.#parts = parts;
  }

  onHeaders(status: number, rawHeaders: readonly string[]): void {
    const { answer, api, target, redactor, variesByOrigin } = this.#parts;
    if (status === 401 || status === 429) this.#parts.onRefused(status, rawHeaders);
    // 403 is about the thing that was asked for as often as about the credential (RFC 9110, 15.5.4): it passes.
    if (status === 401 || status === 407) return answer.end(new AppError("upstream_credential_rejected"));
    if (status >= 400 && redactor.knowsAny && isCompressed(rawHeaders))
      return answer.end(
        new AppError("upstream_failed", "The upstream compressed its error, though asked not to."),
      );
    this.#redaction = redactor.masked(status >= 400 ? "error" : "answer");
    const headers = apiAnswerHeaders({ status, rawHeaders, api, target, redactor, variesByOrigin });
    answer.startBytes(status, headers, { streamed: isEventStream(rawHeaders) });
  }

  onData(chunk: Buffer): void {
    const { answer } = this.#parts;
    if (!answer.over && this.#redaction !== undefined) answer.write(this.#redaction.push(chunk));
  }

  onEnd(): void {
    const { answer } = this.#parts;
    if (!answer.over && this.#redaction !== undefined) answer.finish(this.#redaction.end());
  }

  onError(error: AppError): void {
    this.#parts.answer.end(error);
  }
}

function headerValue(rawHeaders: readonly string[], wanted: string): string {
  for (const [name, value] of headerPairs(rawHeaders)) if (name === wanted) return value.trim().toLowerCase();
  return "";
}

function isCompressed(rawHeaders: readonly string[]): boolean {
  const coding = headerValue(rawHeaders, "content-encoding");
  return coding !== "" && coding !== "identity";
}

function isEventStream(rawHeaders: readonly string[]): boolean {
  return headerValue(rawHeaders, "content-type").startsWith("text/event-stream");
}
