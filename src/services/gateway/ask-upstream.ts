import type { Provider } from "./providers/providers.ts";
import { fetchUpstreamModels } from "./upstream-models.ts";
import { testUpstream } from "./upstream-test.ts";

/** What this server asks an upstream by itself: which models it has, and whether it answers. */
export function askUpstream(upstream: Parameters<typeof fetchUpstreamModels>[0]) {
  return {
    fetchModels: (provider: Provider) => fetchUpstreamModels(upstream, provider),
    test: (provider: Provider) => testUpstream(upstream, provider),
  };
}
