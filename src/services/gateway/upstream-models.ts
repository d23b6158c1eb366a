import { z } from "zod";
import type { EgressClient } from "#platform/egress/egress-client.ts";
import type { Clock } from "#platform/lib/clock.ts";
import { AppError } from "#platform/lib/error.ts";
import type { Credentials } from "#vault/credentials/index.ts";
import { upstreamHeaders } from "./headers.ts";
import { coolDownAfter } from "./providers/cool-down.ts";
import type { Provider } from "./providers/providers.ts";
import { upstreamOptions, withExtraHeaders } from "./providers/upstream-options.ts";

const DEADLINE_MS = 15_000;
const LIST_LIMIT_BYTES = 4 * 1024 * 1024;
const modelList = z.object({ data: z.array(z.object({ id: z.string().min(1).max(256) })).max(10_000) });

/** Asks an upstream which models it serves (`GET base_url/models`), at most 15 s. Throws AppError when it does not say. */
export async function fetchUpstreamModels(
  parts: { egress: EgressClient; credentials: Credentials; clock: Clock },
  provider: Provider,
): Promise<readonly string[]> {
  const url = new URL(provider.baseUrl);
  url.pathname += "/models";
  const credential = await parts.credentials.resolve(provider.id, provider.baseUrl.origin);
  const { options } = provider;
  const headers = withExtraHeaders(upstreamHeaders(["accept", "application/json"], credential), options);
  const upstream = upstreamOptions(options);
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const answer = await parts.egress
    .collect({ url, method: "GET", headers, signal, upstream }, LIST_LIMIT_BYTES)
    .catch((error: unknown) => {
      throw signal.aborted ? new AppError("upstream_timeout") : error;
    });
  const { status, headers: rawHeaders } = answer;
  coolDownAfter(parts.credentials, credential, { status, rawHeaders, nowMs: parts.clock.now() });
  if (answer.status === 401 || answer.status === 403) throw new AppError("upstream_credential_rejected");
  if (answer.status !== 200)
    throw new AppError(
      "upstream_failed",
      `The upstream answered its model list with status ${answer.status}.`,
    );
  const parsed = modelList.safeParse(readJson(answer.body));
  if (!parsed.success)
    throw new AppError("upstream_failed", "The upstream's model list is not in the OpenAI shape.");
  return parsed.data.data.map(({ id }) => id);
}

function readJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}
