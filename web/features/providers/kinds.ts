import type { Schemas } from "#lib/api-types.ts";

export type Kind = Schemas["NewProvider"]["kind"];

/** What a form says of each kind; `baseUrl` is where it leads when none is given. */
export const KINDS: Readonly<
  Record<
    Kind,
    { readonly label: string; readonly about: string; readonly baseUrl?: string; readonly sample: string }
  >
> = {
  openai: {
    label: "OpenAI",
    about: "OpenAI's own API",
    baseUrl: "https://api.openai.com/v1",
    sample: "https://api.openai.com/v1",
  },
  anthropic: {
    label: "Anthropic",
    about: "Anthropic's own API",
    baseUrl: "https://api.anthropic.com",
    sample: "https://api.anthropic.com",
  },
  ollama: {
    label: "Ollama",
    about: "Ollama on this server's machine or another; needs no credential",
    baseUrl: "http://127.0.0.1:11434/v1",
    sample: "http://127.0.0.1:11434/v1",
  },
  "openai-compatible": {
    label: "Compatible with OpenAI",
    about: "Whatever speaks OpenAI's dialect: vLLM, llama.cpp, LiteLLM, OpenRouter. The URL ends in /v1",
    sample: "https://lab.example/v1",
  },
  "anthropic-compatible": {
    label: "Compatible with Anthropic",
    about: "Whatever speaks Anthropic's dialect. The URL has no /v1",
    sample: "https://lab.example",
  },
  http: {
    label: "Any HTTP API",
    about: "Published at /x/NAME/ with its credential put in; it has no models",
    sample: "https://api.example.com/v2",
  },
};

/** The name of a kind as a reader knows it; its own where this page knows none. */
export function kindLabel(kind: string): string {
  return isKind(kind) ? KINDS[kind].label : kind;
}

export function isKind(kind: string): kind is Kind {
  return Object.hasOwn(KINDS, kind);
}
