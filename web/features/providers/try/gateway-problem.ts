import { ApiProblem } from "#lib/api-problem.ts";
import { signal } from "#lib/session-signals.ts";
import { textAt } from "./json-path.ts";

/**
 * What a refusal of the gateway says, which is in the dialect of the API that was asked: `{"error": {message, code | type}}`.
 * Of a key that was made for this alone, `isKeyNew`, a refusal is the listener's. A lock is told to the whole app; a key that is refused is no matter of the session.
 */
export async function gatewayProblem(response: Response, isKeyNew: boolean): Promise<ApiProblem> {
  const body: unknown = await response.json().catch(() => null);
  const wait = Number(response.headers.get("retry-after") ?? Number.NaN);
  const isLocked = response.status === 503 && response.headers.get("x-claviger-locked") === "true";
  if (isLocked) signal("locked");
  const code = codeIn(body) ?? "unknown";
  const closed = closedListener(response.status, code, isKeyNew);
  return new ApiProblem({
    status: response.status,
    code,
    title: closed?.title ?? `The gateway answered ${response.status}.`,
    detail: closed?.detail ?? textAt(body, "error", "message") ?? "It gave no reason.",
    requestId: response.headers.get("x-request-id"),
    retryAfterS: Number.isFinite(wait) ? wait : null,
    isLocked,
  });
}

/** An error in the middle of a stream, which is one of its events. */
export function streamProblem(event: unknown, requestId: string | null): ApiProblem | null {
  const message = textAt(event, "error", "message");
  if (message === null) return null;
  return new ApiProblem({
    status: 200,
    code: codeIn(event) ?? "unknown",
    title: "The answer broke off.",
    detail: message,
    requestId,
    retryAfterS: null,
    isLocked: false,
  });
}

/** Where the listener that the dashboard was opened at is none for programs. */
function closedListener(status: number, code: string, isKeyNew: boolean) {
  if (status === 404 && code === "not_found") return NOT_SERVED;
  return status === 401 && isKeyNew ? NO_KEYS : null;
}

const NOT_SERVED = {
  title: "The gateway is not served here.",
  detail:
    "The listener at this address does not serve the gateway. Open the dashboard at one that does, or add gateway to its serve list.",
};
const NO_KEYS = {
  title: "API keys are not taken here.",
  detail:
    "The listener at this address lets no API keys in. Open the dashboard at one that does, or add keys to its auth list.",
};

function codeIn(body: unknown): string | null {
  return textAt(body, "error", "code") ?? textAt(body, "error", "type");
}
