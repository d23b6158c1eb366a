import { logBroken } from "#platform/http/access-log.ts";
import type { ListenerOptions } from "#platform/http/listener.ts";
import type { Log } from "#platform/log/log.ts";
import type { ThreadMetrics } from "#platform/log/metrics/metrics.ts";

/** Where a listener, of whichever thread, tells of what never became a request. */
export function brokenTold(parts: {
  readonly log: Log;
  readonly metrics: Pick<ThreadMetrics, "http">;
}): Required<Pick<ListenerOptions, "onBroken" | "onHandshakeError">> {
  const { log, metrics } = parts;
  return {
    onBroken: (broken, policy) => {
      logBroken(log, policy, broken);
      metrics.http.broken(broken.code);
    },
    // Port scanners and browsers that do not trust a certificate cause any number: nothing to wake anyone for.
    onHandshakeError: (code, policy) => {
      metrics.http.handshakeFailed();
      log.debug({ listener: policy.name, code }, "a TLS handshake failed");
    },
  };
}
