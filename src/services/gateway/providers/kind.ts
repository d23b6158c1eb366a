import { AppError } from "#platform/lib/error.ts";

export const PROVIDER_KINDS = ["openai", "openai-compatible"] as const;
export type ProviderKind = (typeof PROVIDER_KINDS)[number];

const OPENAI_BASE_URL = "https://api.openai.com/v1";

/** Checks a base URL for its kind: http or https, nothing secret in it, path ending in `/v1`. Throws AppError 400. */
export function parseBaseUrl(kind: ProviderKind, text: string | undefined): URL {
  if (text === undefined && kind === "openai-compatible")
    throw new AppError("bad_request", "A provider of kind openai-compatible needs a base_url.");
  const url = URL.parse(text ?? OPENAI_BASE_URL);
  if (url === null) throw new AppError("bad_request", "base_url is not a URL.");
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw new AppError("bad_request", "base_url must begin with http:// or https://.");
  if (url.username !== "" || url.password !== "")
    throw new AppError("bad_request", "base_url must not hold a user name or password; set a credential.");
  if (url.search !== "" || url.hash !== "")
    throw new AppError("bad_request", "base_url must not have a query or fragment.");
  url.pathname = url.pathname.replace(/\/+$/, "");
  if (!url.pathname.endsWith("/v1"))
    throw new AppError("bad_request", "base_url of an OpenAI kind ends in /v1.");
  return url;
}
