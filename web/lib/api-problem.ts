/** A refusal of the server: RFC 9457 problem details with its stable `code`. */
export class ApiProblem extends Error {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly requestId: string | null;
  /** Whole seconds after which another try is worth it. */
  readonly retryAfterS: number | null;
  readonly isLocked: boolean;
  /** What the server found wrong, by the field of the body: `limits.requests_per_minute`. */
  readonly fields: Readonly<Record<string, string>>;

  constructor(facts: {
    readonly status: number;
    readonly code: string;
    readonly title: string;
    readonly detail: string;
    readonly requestId: string | null;
    readonly retryAfterS: number | null;
    readonly isLocked: boolean;
  }) {
    super(facts.detail);
    this.name = "ApiProblem";
    this.status = facts.status;
    this.code = facts.code;
    this.title = facts.title;
    this.requestId = facts.requestId;
    this.retryAfterS = facts.retryAfterS;
    this.isLocked = facts.isLocked;
    this.fields = fieldsOf(facts.detail);
  }
}

/** The problem that an answer of 400 and above tells; also where what answered was not the server itself. */
export async function problemOf(response: Response): Promise<ApiProblem> {
  const told = textsOf(await response.json().catch(() => null));
  const title = told.title ?? `The server answered ${response.status}.`;
  const wait = Number(response.headers.get("retry-after") ?? Number.NaN);
  return new ApiProblem({
    status: response.status,
    code: told.code ?? "unknown",
    title,
    detail: told.detail ?? title,
    requestId: response.headers.get("x-request-id"),
    retryAfterS: Number.isFinite(wait) ? wait : null,
    isLocked: response.status === 503 && response.headers.get("x-claviger-locked") === "true",
  });
}

/** Whether it is a refusal with one of these codes. */
export function isProblem(error: unknown, ...codes: readonly string[]): error is ApiProblem {
  return error instanceof ApiProblem && (codes.length === 0 || codes.includes(error.code));
}

function textsOf(body: unknown): { title?: string; detail?: string; code?: string } {
  if (typeof body !== "object" || body === null) return {};
  const { title, detail, code }: { title?: unknown; detail?: unknown; code?: unknown } = body;
  return {
    ...(typeof title === "string" && { title }),
    ...(typeof detail === "string" && { detail }),
    ...(typeof code === "string" && { code }),
  };
}

/** `body/name must be …, body/limits/concurrency must be …`: how the server names the fields it refuses. */
function fieldsOf(detail: string): Record<string, string> {
  const found = detail.matchAll(/(?:^|, )body\/(\S+) (.+?)(?=, body\/|$)/g);
  return Object.fromEntries([...found].map(([, at = "", what = ""]) => [at.replaceAll("/", "."), what]));
}
