/** A request that is over, as one line of the log tells it: our own words, but for what is named as not. */
export interface AccessEntry {
  /** May be the client's. */
  readonly requestId: string;
  readonly listener: string;
  /** The peer's, as the operating system says it. */
  readonly address: string;
  readonly method: string;
  /** A template, never the path that was asked for. */
  readonly route: string;
  readonly status: number;
  /** A name from the store. */
  readonly principal: string | undefined;
  readonly reason: string | undefined;
  readonly code: string | undefined;
  /** Milliseconds; undefined for what never became a request. */
  readonly latencyMs: number | undefined;
}

/**
 * The line at level `info`, its end included; `time` is RFC 3339. Put together by hand, for there is one a request:
 * nothing but these fields can come into it, and every text that is not our own is escaped.
 */
export function accessLine(entry: AccessEntry, time: string): string {
  return (
    `{"level":30,"time":"${time}","request_id":${quoted(entry.requestId)}` +
    `,"listener":"${entry.listener}","address":${quoted(entry.address)}` +
    `,"method":"${entry.method}","route":"${entry.route}","status":${entry.status}` +
    (entry.principal === undefined ? "" : `,"principal":${quoted(entry.principal)}`) +
    (entry.reason === undefined ? "" : `,"reason":"${entry.reason}"`) +
    (entry.code === undefined ? "" : `,"code":"${entry.code}"`) +
    (entry.latencyMs === undefined ? "" : `,"latency_ms":${Math.round(entry.latencyMs * 100) / 100}`) +
    `,"msg":"request"}\n`
  );
}

/** Nothing of it is escaped in JSON (RFC 8259, 7): ids and addresses, nearly always. */
const PLAIN = /^[\w.:-]*$/;

function quoted(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}
