import { systemClock } from "#platform/lib/clock.ts";
import { AppError } from "#platform/lib/error.ts";
import { openMetrics } from "#platform/log/metrics/metrics.ts";
import { answeringClient, wholeAnswer } from "./answering-client.ts";
import { Reading } from "./scrape.ts";

/** Every result a request to an upstream can have. */
export const RESULTS = [
  "ok",
  "request_refused",
  "credential_refused",
  "rate_limited",
  "server_error",
  "unreachable",
  "timeout",
  "broken",
  "denied",
];

/** A reading in which every metric has a series, and every kind of result of an upstream was seen. */
export async function readingWithEverySeries(): Promise<Reading> {
  const metrics = openMetrics({
    version: "0",
    clock: systemClock,
    sealStatus: () => ({ initialized: true, unlocked: true }),
    disk: () => ({ state: "ok", freeBytes: 1, reserveBytes: 1 }),
  });
  metrics.listening([
    { name: "local", anonymous: true, authOff: false, certificateExpiresMs: systemClock.now() },
  ]);
  const route = { method: "GET", path: "/health" };
  metrics.http.began();
  metrics.http.ended({ route, startedMs: performance.now(), errorCode: undefined }, 200);
  metrics.gateway.finished({
    provider: "p",
    model: "p/m",
    status: 200,
    latency_ms: 1,
    first_byte_ms: 1,
    input_tokens: 1,
    output_tokens: 1,
    cost_nano_usd: 1,
  });
  metrics.events.published("key.created");
  metrics.cluster.countingNodes(() => [["up", 1]]);
  metrics.cluster.heartbeat("ok");
  metrics.cluster.joinRun("begun");
  const answers = [200, 404, 401, 429, 503].map((status) => async () => wholeAnswer(status));
  const failures = (
    ["upstream_unreachable", "upstream_timeout", "upstream_failed", "egress_denied"] as const
  ).map((code) => () => Promise.reject(new AppError(code)));
  const url = new URL("https://upstream.example/v1");
  for (const answer of [...answers, ...failures]) {
    const client = metrics.upstreams.watch(answeringClient(answer), () => [{ name: "p", baseUrl: url }]);
    await client.collect({ url, method: "GET", headers: [] }, 1).catch(() => {});
  }
  const text = await metrics.text();
  metrics.close();
  return new Reading(text);
}
