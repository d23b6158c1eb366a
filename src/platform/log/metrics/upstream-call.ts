import type { Exchange, UpstreamHandler } from "../../egress/exchange.ts";
import { AppError } from "../../lib/error.ts";

/** What came of one request to an upstream. The first two say that it works. */
export type UpstreamResult =
  | "ok"
  | "request_refused"
  | "credential_refused"
  | "rate_limited"
  | "server_error"
  | "unreachable"
  | "timeout"
  | "broken"
  | "denied";

/** The results that say that an upstream works. */
export const WORKS: ReadonlySet<UpstreamResult> = new Set(["ok", "request_refused"]);

interface Told {
  onStream(change: 1 | -1): void;
  onResult(result: UpstreamResult | undefined): void;
}

/** Stands between the client and the handler of one call, and tells once what came of it. */
export class WatchedCall implements UpstreamHandler {
  readonly #handler: UpstreamHandler;
  readonly #tell: Told;
  #status: number | undefined;
  #streams = false;
  #over = false;

  constructor(handler: UpstreamHandler, tell: Told) {
    this.#handler = handler;
    this.#tell = tell;
  }

  carry(exchange: Exchange): Exchange {
    return {
      abort: () => {
        this.left();
        exchange.abort();
      },
      pause: () => exchange.pause(),
      resume: () => exchange.resume(),
    };
  }

  onHeaders(status: number, rawHeaders: readonly string[]): void {
    this.#status = status;
    if (!this.#over && isEventStream(rawHeaders)) {
      this.#streams = true;
      this.#tell.onStream(1);
    }
    this.#handler.onHeaders(status, rawHeaders);
  }

  onData(chunk: Buffer): void {
    this.#handler.onData(chunk);
  }

  onEnd(): void {
    this.left();
    this.#handler.onEnd();
  }

  onError(error: AppError): void {
    this.#settle(resultOfError(error));
    this.#handler.onError(error);
  }

  /** Over without a fault of the upstream's. Before its answer began there is nothing to judge it by. */
  left(): void {
    this.#settle(this.#status === undefined ? undefined : resultOfStatus(this.#status));
  }

  #settle(result: UpstreamResult | undefined): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#streams) this.#tell.onStream(-1);
    this.#tell.onResult(result);
  }
}

export function resultOfStatus(status: number): UpstreamResult {
  if (status < 400) return "ok";
  if (status === 401 || status === 403) return "credential_refused";
  if (status === 429) return "rate_limited";
  return status < 500 ? "request_refused" : "server_error";
}

/** Undefined for an end that is the server's own. */
export function resultOfError(error: unknown): UpstreamResult | undefined {
  switch (error instanceof AppError ? error.code : undefined) {
    case "upstream_unreachable":
      return "unreachable";
    case "upstream_timeout":
      return "timeout";
    case "egress_denied":
      return "denied";
    case "shutting_down":
      return undefined;
    default:
      return "broken";
  }
}

function isEventStream(rawHeaders: readonly string[]): boolean {
  for (let at = 0; at < rawHeaders.length; at += 2)
    if (rawHeaders[at]?.toLowerCase() === "content-type")
      return rawHeaders[at + 1]?.toLowerCase().startsWith("text/event-stream") === true;
  return false;
}
