import type { EgressRequest } from "../../egress/egress-client.ts";
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

const CONTENT_TYPE = "content-type";

/** Who is told what the calls come to. */
interface Told {
  onStream(change: 1 | -1): void;
  onResult(url: URL, result: UpstreamResult | undefined): void;
}

/** Stands between the client and the handler of one call, both ways, and tells once what came of it. */
export class WatchedCall implements UpstreamHandler, Exchange {
  readonly #handler: UpstreamHandler;
  readonly #wanted: Pick<EgressRequest, "url" | "signal">;
  readonly #told: Told;
  readonly #onAbort: (() => void) | undefined;
  #exchange: Exchange | undefined;
  #status: number | undefined;
  #streams = false;
  #over = false;

  constructor(handler: UpstreamHandler, wanted: Pick<EgressRequest, "url" | "signal">, told: Told) {
    this.#handler = handler;
    this.#wanted = wanted;
    this.#told = told;
    if (wanted.signal === undefined) return;
    this.#onAbort = () => this.left();
    wanted.signal.addEventListener("abort", this.#onAbort);
  }

  /** The client's exchange of this call, which is steered through this one from here on. */
  carry(exchange: Exchange): Exchange {
    this.#exchange = exchange;
    return this;
  }

  abort(): void {
    this.left();
    this.#exchange?.abort();
  }

  pause(): void {
    this.#exchange?.pause();
  }

  resume(): void {
    this.#exchange?.resume();
  }

  onHeaders(status: number, rawHeaders: readonly string[]): void {
    this.#status = status;
    if (!this.#over && isEventStream(rawHeaders)) {
      this.#streams = true;
      this.#told.onStream(1);
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
    if (this.#streams) this.#told.onStream(-1);
    if (this.#onAbort !== undefined) this.#wanted.signal?.removeEventListener("abort", this.#onAbort);
    this.#told.onResult(this.#wanted.url, result);
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
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at];
    if (name?.length === CONTENT_TYPE.length && name.toLowerCase() === CONTENT_TYPE)
      return rawHeaders[at + 1]?.toLowerCase().startsWith("text/event-stream") === true;
  }
  return false;
}
