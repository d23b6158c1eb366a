import type { Schemas } from "#lib/api-types.ts";

export type Dialect = Schemas["Model"]["dialect"];

/** What is asked of a model, and in which API. */
export interface Question {
  readonly model: string;
  readonly dialect: Dialect;
  readonly message: string;
}

const PATHS = { openai: "/v1/chat/completions", anthropic: "/v1/messages" } as const;
/** Anthropic's API does not do without one. */
const MOST_OUTPUT_TOKENS = 1024;

/** Where a question goes. */
export function pathFor({ dialect }: Question): string {
  return PATHS[dialect];
}

/** The body that asks it, for an answer in pieces. */
export function bodyFor({ model, dialect, message }: Question): object {
  const messages = [{ role: "user", content: message }];
  return dialect === "anthropic"
    ? { model, max_tokens: MOST_OUTPUT_TOKENS, messages, stream: true }
    : { model, messages, stream: true, stream_options: { include_usage: true } };
}

/** The same at a terminal; the key is a variable there, and never in the text. */
export function curlFor(question: Question): string {
  const body = JSON.stringify(bodyFor(question)).replaceAll("'", "'\\''");
  return [
    `curl -N ${location.origin}${pathFor(question)} \\`,
    `  -H "Authorization: Bearer $CLAVIGER_KEY" \\`,
    `  -H "Content-Type: application/json" \\`,
    `  -d '${body}'`,
  ].join("\n");
}
