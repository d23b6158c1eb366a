import { AppError } from "#platform/lib/error.ts";
import type { UsageDialect } from "../usage/token-usage.ts";

/** What differs between the kinds of upstream. */
export interface KindFacts {
  /** Used when a provider gives none. */
  readonly defaultBaseUrl: string | undefined;
  readonly path: keyof typeof PATHS;
  /** What it speaks. */
  readonly dialect: UsageDialect;
  /** The header our credential goes in, and what stands before it there. */
  readonly credentialHeader: { readonly name: string; readonly prefix: string };
}

/** What the path of a base URL must be, trailing slashes removed; a bare host has the path `/`. */
const PATHS = {
  "ends-in-v1": {
    fits: (path: string) => path.endsWith("/v1"),
    complaint: "base_url of an OpenAI kind ends in /v1.",
    /** What lies between the base URL and the paths of the API. */
    below: "",
  },
  "without-v1": {
    fits: (path: string) => !path.endsWith("/v1"),
    complaint: "base_url of an Anthropic kind has no /v1; it is appended.",
    below: "/v1",
  },
  any: { fits: () => true, complaint: "", below: "" },
} as const;

const OPENAI = {
  path: "ends-in-v1",
  dialect: "openai",
  credentialHeader: { name: "authorization", prefix: "Bearer " },
} as const;
const ANTHROPIC = {
  path: "without-v1",
  dialect: "anthropic",
  credentialHeader: { name: "x-api-key", prefix: "" },
} as const;

/** The kinds of upstream. `http` is any HTTP API, and no model of it is ever listed. */
const KINDS = {
  openai: { defaultBaseUrl: "https://api.openai.com/v1", ...OPENAI },
  "openai-compatible": { defaultBaseUrl: undefined, ...OPENAI },
  ollama: { defaultBaseUrl: "http://127.0.0.1:11434/v1", ...OPENAI },
  anthropic: { defaultBaseUrl: "https://api.anthropic.com", ...ANTHROPIC },
  "anthropic-compatible": { defaultBaseUrl: undefined, ...ANTHROPIC },
  http: { defaultBaseUrl: undefined, ...OPENAI, path: "any" },
} as const satisfies Record<string, KindFacts>;

export const PROVIDER_KINDS = [
  "openai",
  "openai-compatible",
  "ollama",
  "anthropic",
  "anthropic-compatible",
  "http",
] as const;
export type ProviderKind = (typeof PROVIDER_KINDS)[number];

export function factsOf(kind: ProviderKind): KindFacts {
  return KINDS[kind];
}

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

/** A base URL as it is shown: without the slash that a URL puts behind a bare host. */
export function baseUrlText(baseUrl: URL): string {
  return baseUrl.href.replace(/\/$/, "");
}

/** The URL of an endpoint of an upstream; `path` is what follows `/v1`, with its slash. */
export function endpointUrl(provider: { kind: ProviderKind; baseUrl: URL }, path: string): URL {
  const url = new URL(provider.baseUrl);
  url.pathname = url.pathname.replace(/\/$/, "") + PATHS[KINDS[provider.kind].path].below + path;
  return url;
}
