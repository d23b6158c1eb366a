import * as z from "zod";
import type { EgressClient, UpstreamOptions } from "#platform/egress/egress-client.ts";
import type { Clock } from "#platform/lib/clock.ts";
import { AppError } from "#platform/lib/error.ts";
import type { CredentialUse } from "#vault/credentials/index.ts";
import { upstreamHeaders } from "./headers.ts";
import { coolDownAfter } from "./providers/cool-down.ts";
import { endpointUrl, factsOf } from "./providers/kind.ts";
import type { Provider } from "./providers/providers.ts";
import { upstreamOptions, withExtraHeaders } from "./providers/upstream-options.ts";

const DEADLINE_MS = 15_000;
const LIST_LIMIT_BYTES = 4 * 1024 * 1024;
const MOST_MODELS = 10_000;
/** Anthropic lists come in pages of at most 1000; a list that goes on behind the last of these is cut. */
const MOST_PAGES = 10;
const FIRST_PAGE = { openai: "", anthropic: "?limit=1000" } as const;

const modelList = z.object({
  data: z.array(z.object({ id: z.string().min(1).max(256) })).max(MOST_MODELS),
  has_more: z.boolean().catch(false),
  last_id: z.string().max(256).nullish().catch(null),
});

/** How the list is asked for: the same for each of its pages. */
interface Asking {
  readonly egress: EgressClient;
  readonly headers: readonly string[];
  readonly upstream: UpstreamOptions;
  readonly signal: AbortSignal;
  readonly onHead: (status: number, rawHeaders: readonly string[]) => void;
}

/**
 * Asks an upstream which models it serves (`GET /v1/models`, of Anthropic kinds page after page), at most 15 s in all.
 * Throws AppError when it does not say.
 */
export async function fetchUpstreamModels(
  parts: { egress: EgressClient; credentials: CredentialUse; clock: Clock },
  provider: Provider,
): Promise<readonly string[]> {
  const kind = factsOf(provider.kind);
  const url = endpointUrl(provider, "/models");
  url.search = FIRST_PAGE[kind.dialect];
  const credential = await parts.credentials.resolve(provider.id, provider.baseUrl.origin);
  const own = upstreamHeaders(["accept", "application/json"], credential, kind);
  const asking = {
    egress: parts.egress,
    headers: withExtraHeaders(own, provider.options),
    upstream: upstreamOptions(provider.options),
    signal: AbortSignal.timeout(DEADLINE_MS),
    onHead: (status: number, rawHeaders: readonly string[]) =>
      coolDownAfter(parts.credentials, credential, { status, rawHeaders }, parts.clock),
  };
  const ids = new Set<string>();
  for (let page = 1; page <= MOST_PAGES; page += 1) {
    const list = await fetchPage(asking, url);
    const known = ids.size;
    for (const { id } of list.data) if (ids.size < MOST_MODELS) ids.add(id);
    // A page that brought nothing new would be asked for for ever.
    if (kind.dialect !== "anthropic" || !list.has_more || list.last_id == null || ids.size === known) break;
    url.searchParams.set("after_id", list.last_id);
  }
  return [...ids];
}

async function fetchPage(asking: Asking, url: URL): Promise<z.infer<typeof modelList>> {
  const { egress, headers, signal, upstream } = asking;
  const answer = await egress
    .collect({ url, method: "GET", headers, signal, upstream }, LIST_LIMIT_BYTES)
    .catch((error: unknown) => {
      throw signal.aborted ? new AppError("upstream_timeout") : error;
    });
  asking.onHead(answer.status, answer.headers);
  if (answer.status === 401 || answer.status === 403) throw new AppError("upstream_credential_rejected");
  if (answer.status !== 200)
    throw new AppError(
      "upstream_failed",
      `The upstream answered its model list with status ${answer.status}.`,
    );
  const parsed = modelList.safeParse(readJson(answer.body));
  if (!parsed.success)
    throw new AppError("upstream_failed", "The upstream's model list has not the shape of one.");
  return parsed.data;
}

function readJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}
