import type { EgressClient } from "#platform/egress/egress-client.ts";
import type { Clock } from "#platform/lib/clock.ts";
import { AppError } from "#platform/lib/error.ts";
import type { CredentialUse } from "#vault/credentials/index.ts";
import type { Provider } from "./providers/providers.ts";
import { upstreamOptions, withExtraHeaders } from "./providers/upstream-options.ts";
import { fetchUpstreamModels } from "./upstream-models.ts";

const DEADLINE_MS = 15_000;
const ANSWER_LIMIT_BYTES = 64 * 1024;

/** What a provider that works was found to do. */
export interface ProviderAnswer {
  readonly latencyMs: number;
  /** How many models it lists; null where it has none to list. */
  readonly models: number | null;
}

/**
 * Whether a provider works, at most 15 s: one with models lists them, and one of kind `http` answers `HEAD base_url`
 * with any status but a refusal of the credential. Throws AppError with the reason when not.
 */
export async function testUpstream(
  parts: { egress: EgressClient; credentials: CredentialUse; clock: Clock },
  provider: Provider,
): Promise<ProviderAnswer> {
  const startedMs = performance.now();
  const models = provider.kind === "http" ? null : (await fetchUpstreamModels(parts, provider)).length;
  if (models === null) await reach(parts, provider);
  return { latencyMs: Math.round(performance.now() - startedMs), models };
}

async function reach(
  { egress, credentials }: { egress: EgressClient; credentials: CredentialUse },
  { id, baseUrl: url, options }: Provider,
): Promise<void> {
  const credential = await credentials.resolve(id, url.origin);
  const { name, prefix } = options.credential_header ?? { name: "authorization", prefix: "Bearer " };
  const own = credential === undefined ? [] : [name, prefix + credential.expose()];
  const headers = withExtraHeaders(["accept-encoding", "identity", ...own], options);
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const wanted = { url, method: "HEAD", headers, signal, upstream: upstreamOptions(options) };
  const { status } = await egress.collect(wanted, ANSWER_LIMIT_BYTES).catch((error: unknown) => {
    throw signal.aborted ? new AppError("upstream_timeout") : error;
  });
  if (status === 401 || status === 403) throw new AppError("upstream_credential_rejected");
}
