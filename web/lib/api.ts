import { ApiProblem, problemOf } from "./api-problem.ts";
import type { Operations } from "./api-types.ts";
import { passwordAgain, signal } from "./session-signals.ts";

export type OperationName = keyof Operations;

/** What a call must be given of `path`, `query` and `body`; a query of optional members may be left out. */
type Part<
  Name extends OperationName,
  At extends "path" | "query" | "body",
> = Operations[Name][At] extends undefined
  ? unknown
  : Record<never, never> extends Operations[Name][At]
    ? { readonly [Key in At]?: Operations[Name][At] | undefined }
    : { readonly [Key in At]: Operations[Name][At] };
type Input<Name extends OperationName> = Part<Name, "path"> &
  Part<Name, "query"> &
  Part<Name, "body"> & { readonly signal?: AbortSignal };
type Rest<Name extends OperationName> =
  Record<never, never> extends Input<Name> ? [input?: Input<Name>] : [input: Input<Name>];

interface Parts {
  readonly path?: unknown;
  readonly query?: unknown;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

/**
 * Asks the server for this operation. Throws ApiProblem for a refusal, after the app has heard of a lock, of the end of
 * the session, or of a password that must be changed; where the password must be given again it is, and the call repeated.
 */
export async function call<Name extends OperationName>(
  operation: Name,
  ...[input]: Rest<Name>
): Promise<Operations[Name]["response"]> {
  const response = await ask(operation, input ?? {});
  return response.status === 204 ? undefined : await response.json();
}

/** The same for an operation that answers a file. */
export async function download<Name extends OperationName>(
  operation: Name,
  ...[input]: Rest<Name>
): Promise<Blob> {
  return await (await ask(operation, input ?? {})).blob();
}

async function ask(operation: OperationName, parts: Parts): Promise<Response> {
  const response = await send(operation, parts);
  if (response.ok) return response;
  const problem = await problemOf(response);
  if (problem.code === "reauthenticate" && (await passwordAgain())) {
    const repeated = await send(operation, parts);
    if (repeated.ok) return repeated;
    throw announced(await problemOf(repeated));
  }
  throw announced(problem);
}

/** Tells the app what concerns more than the one who called. */
export function announced(problem: ApiProblem): ApiProblem {
  if (problem.isLocked) signal("locked");
  if (problem.code === "invalid_token") signal("signed_out");
  if (problem.code === "password_change_required") signal("password_change_required");
  return problem;
}

async function send(
  operation: OperationName,
  { path, query, body, signal: until }: Parts,
): Promise<Response> {
  const [method = "GET", template = ""] = operation.split(" ");
  const url = filled(template, new Map(entriesOf(path)));
  const search = new URLSearchParams(entriesOf(query)).toString();
  try {
    return await fetch(search === "" ? url : `${url}?${search}`, {
      method,
      redirect: "error",
      headers: {
        accept: "application/json",
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(until !== undefined && { signal: until }),
    });
  } catch (error) {
    if (until?.aborted === true) throw error;
    throw unreachable();
  }
}

function filled(template: string, values: ReadonlyMap<string, string>): string {
  return template.replace(/\{(\w+)\}/g, (_whole, name: string) => encodeURIComponent(values.get(name) ?? ""));
}

function entriesOf(members: unknown): [string, string][] {
  return Object.entries(members ?? {}).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)]],
  );
}

function unreachable(): ApiProblem {
  return new ApiProblem({
    status: 0,
    code: "unreachable",
    title: "The server cannot be reached.",
    detail: "The server cannot be reached. It may be starting; this page tries again.",
    requestId: null,
    retryAfterS: null,
    isLocked: false,
  });
}
