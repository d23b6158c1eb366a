import { AppError } from "#platform/lib/error.ts";

interface KindFacts {
  /** Used when a provider gives none. */
  readonly defaultBaseUrl: string | undefined;
  readonly path: keyof typeof PATHS;
}

const OPENAI_BASE_URL = "https://api.openai.com/v1";
const OLLAMA_BASE_URL = "http://127.0.0.1:11434/v1";

/** What the path of a base URL must be, trailing slashes removed; a bare host has the path `/`. */
const PATHS = {
  "ends-in-v1": {
    fits: (path: string) => path.endsWith("/v1"),
    complaint: "base_url of an OpenAI kind ends in /v1.",
  },
  any: { fits: () => true, complaint: "" },
} as const;

/** The kinds of upstream. `http` is any HTTP API; the others speak OpenAI's dialect. */
const KINDS = {
  openai: { defaultBaseUrl: OPENAI_BASE_URL, path: "ends-in-v1" },
  "openai-compatible": { defaultBaseUrl: undefined, path: "ends-in-v1" },
  ollama: { defaultBaseUrl: OLLAMA_BASE_URL, path: "ends-in-v1" },
  http: { defaultBaseUrl: undefined, path: "any" },
} as const satisfies Record<string, KindFacts>;

export const PROVIDER_KINDS = ["openai", "openai-compatible", "ollama", "http"] as const;
export type ProviderKind = (typeof PROVIDER_KINDS)[number];

/** The kinds by name, each with whether a provider of it cannot do without a base URL of its own. */
export function kindsByName(): ReadonlyMap<string, { readonly needsBaseUrl: boolean }> {
  return new Map(
    PROVIDER_KINDS.map((kind) => [kind, { needsBaseUrl: KINDS[kind].defaultBaseUrl === undefined }]),
  );
}

/** A kind as it was stored; one this version does not know is a bug of a migration. */
export function storedKind(text: string): ProviderKind {
  const kind = PROVIDER_KINDS.find((known) => known === text);
  if (kind === undefined) throw new Error(`the store holds a provider of the unknown kind ${text}`);
  return kind;
}

/** Checks a base URL for its kind: http or https, nothing secret in it, a path that fits. Throws AppError 400. */
export function parseBaseUrl(kind: ProviderKind, text: string | undefined): URL {
  const given = text ?? KINDS[kind].defaultBaseUrl;
  if (given === undefined) throw new AppError("bad_request", `A provider of kind ${kind} needs a base_url.`);
  const url = URL.parse(given);
  if (url === null) throw new AppError("bad_request", "base_url is not a URL.");
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw new AppError("bad_request", "base_url must begin with http:// or https://.");
  if (url.username !== "" || url.password !== "")
    throw new AppError("bad_request", "base_url must not hold a user name or password; set a credential.");
  // The text is asked, not the URL: of a bare `?` or `#` the URL keeps nothing to see.
  if (/[?#]/.test(given)) throw new AppError("bad_request", "base_url must not have a query or fragment.");
  url.pathname = url.pathname.replace(/\/+$/, "");
  const path = PATHS[KINDS[kind].path];
  if (!path.fits(url.pathname)) throw new AppError("bad_request", path.complaint);
  return url;
}
