import type { UpstreamOptions } from "#platform/egress/egress-client.ts";
import type { ProviderOptions } from "./options.ts";

/** Made once for the options of each provider. */
const known = new WeakMap<ProviderOptions, UpstreamOptions>();

/** A provider's options as the egress client takes them. */
export function upstreamOptions(options: ProviderOptions): UpstreamOptions {
  const before = known.get(options);
  if (before !== undefined) return before;
  const made = translated(options);
  known.set(options, made);
  return made;
}

/** The headers of a request (name, value, name, value) with a provider's extra ones, each in place of one so named; `headers` itself where it has none. */
export function withExtraHeaders(headers: string[], options: ProviderOptions): string[] {
  const extra = options.extra_headers;
  if (extra === undefined) return headers;
  const kept = headers.filter((_, index) => {
    const name = headers[index - (index % 2)]?.toLowerCase() ?? "";
    return !Object.hasOwn(extra, name);
  });
  return [...kept, ...Object.entries(extra).flat()];
}

function translated(options: ProviderOptions): UpstreamOptions {
  const { ca_file, proxy, connect_timeout_ms, headers_timeout_ms, body_idle_timeout_ms } = options;
  return {
    ...(ca_file === undefined ? {} : { caFile: ca_file }),
    ...(proxy === undefined ? {} : { proxy: new URL(proxy) }),
    ...(connect_timeout_ms === undefined ? {} : { connectTimeoutMs: connect_timeout_ms }),
    ...(headers_timeout_ms === undefined ? {} : { headersTimeoutMs: headers_timeout_ms }),
    ...(body_idle_timeout_ms === undefined ? {} : { bodyIdleTimeoutMs: body_idle_timeout_ms }),
  };
}
