import { brotliCompressSync, gzipSync } from "node:zlib";
import { type Misbehaviour, whole } from "./raw-upstream.ts";

/** What a program on the official SDK meets: `result` where the answer is complete, else what it raises. */
export type Met = "result" | { readonly raised: string; readonly status?: number; readonly code?: string };

/** One way for an upstream to fail. */
export interface Fault {
  readonly name: string;
  /** `refused` and `unresolved` reach no upstream at all. */
  readonly upstream: "refused" | "unresolved" | Misbehaviour;
  /** The upstream reads only the head of a request. */
  readonly readsBody?: false;
  /** The request goes over a connection that served another one before. */
  readonly reusesConnection?: true;
  /** What comes of it, and how often the upstream is asked without and with the SDK's two retries. */
  readonly whole: Outcome;
  readonly streamed: Outcome;
}

export interface Outcome {
  readonly met: Met;
  readonly asked: readonly [once: number, withRetries: number];
  /** Where the SDK's retry comes to another end. */
  readonly metWithRetries?: Met;
}

const head = (lines: string, status = "200 OK") => `HTTP/1.1 ${status}\r\n${lines}\r\n`;
const JSON_TYPE = "content-type: application/json\r\n";
const SSE_TYPE = "content-type: text/event-stream\r\n";
const CHUNKED = "transfer-encoding: chunked\r\n";
const LAST_CHUNK = "0\r\n\r\n";

const message = { role: "assistant", content: "Hello." };
const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };
export const COMPLETION = JSON.stringify({
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 0,
  model: "sim-1",
  choices: [{ index: 0, message, finish_reason: "stop" }],
  usage,
});
export const event = (content: string, finish: string | null = null) =>
  `data: ${JSON.stringify({ id: "chatcmpl-1", object: "chat.completion.chunk", created: 0, model: "sim-1", choices: [{ index: 0, delta: { content }, finish_reason: finish }] })}\n\n`;
export const STREAM = `${event("Hel")}${event("lo.")}${event("", "stop")}data: [DONE]\n\n`;
const ERROR = JSON.stringify({ error: { message: "out of quota", type: "server_error", code: "quota" } });

const chunk = (text: string | Buffer) =>
  Buffer.concat([
    Buffer.from(`${Buffer.byteLength(text).toString(16)}\r\n`),
    Buffer.from(text),
    Buffer.from("\r\n"),
  ]);
/** The usual answer as it stands on the wire, in one chunk. */
export const usualBytes = (streamed: boolean) =>
  Buffer.concat([
    Buffer.from(head(`${streamed ? SSE_TYPE : JSON_TYPE}${CHUNKED}`)),
    chunk(streamed ? STREAM : COMPLETION),
    Buffer.from(LAST_CHUNK),
  ]);
/** The head, and these bytes of the body in a chunk of their own. */
const begun = (streamed: boolean, body: string | Buffer) =>
  Buffer.concat([Buffer.from(head(`${streamed ? SSE_TYPE : JSON_TYPE}${CHUNKED}`)), chunk(body)]);
const ended = (streamed: boolean, body: string | Buffer) =>
  Buffer.concat([begun(streamed, body), Buffer.from(LAST_CHUNK)]);
const bodyOf = (streamed: boolean) => (streamed ? STREAM : COMPLETION);
const typeOf = (streamed: boolean) => (streamed ? "text/event-stream" : "application/json");
const HALF_CHARACTER = Buffer.from("é").subarray(0, 1);

const bytes =
  (make: (streamed: boolean) => string | Buffer): Misbehaviour =>
  (socket, { streamed }) =>
    void socket.write(make(streamed));
const closing =
  (make: (streamed: boolean) => string | Buffer): Misbehaviour =>
  (socket, { streamed }) =>
    void socket.end(make(streamed));

const complete: Outcome = { met: "result", asked: [1, 1] };
const raised = (status: number, code: string, asked: Outcome["asked"] = [1, 3]): Outcome => ({
  met: { raised: status === 429 ? "RateLimitError" : "InternalServerError", status, code },
  asked,
});
const failed = raised(502, "upstream_failed");
const late = raised(504, "upstream_timeout");
/** Raised out of a stream that had begun: nothing is asked again. */
const cut = (code = "upstream_failed"): Outcome => ({ met: { raised: "APIError", code }, asked: [1, 1] });
const both = (outcome: Outcome) => ({ whole: outcome, streamed: outcome });

export const FAULTS: readonly Fault[] = [
  {
    name: "refuses the connection",
    upstream: "refused",
    ...both(raised(502, "upstream_unreachable", [0, 0])),
  },
  {
    name: "its name does not resolve",
    upstream: "unresolved",
    ...both(raised(502, "upstream_unreachable", [0, 0])),
  },
  { name: "no first byte in time", upstream: () => {}, ...both(late) },
  { name: "never reads the request's body", upstream: () => {}, readsBody: false, ...both(late) },
  { name: "closes without an answer", upstream: (socket) => void socket.end(), ...both(failed) },
  { name: "resets without an answer", upstream: (socket) => void socket.resetAndDestroy(), ...both(failed) },
  { name: "speaks no HTTP", upstream: closing(() => "SSH-2.0-OpenSSH_9.2\r\n"), ...both(failed) },
  {
    name: "closes a kept connection as the request is sent",
    upstream: (socket, { before, streamed }) =>
      before > 0 ? void socket.destroy() : void socket.end(usualBytes(streamed)),
    reusesConnection: true,
    ...both({ ...failed, asked: [1, 2], metWithRetries: "result" }),
  },
  {
    name: "closes within its answer",
    upstream: closing((streamed) => begun(streamed, bodyOf(streamed).slice(0, -30))),
    whole: failed,
    streamed: cut(),
  },
  {
    name: "resets within its answer",
    upstream: (socket, { streamed }) =>
      void socket.write(begun(streamed, bodyOf(streamed).slice(0, -30)), () => {
        setTimeout(() => socket.resetAndDestroy(), 50);
      }),
    whole: failed,
    streamed: cut(),
  },
  {
    name: "breaks off within a character",
    upstream: closing((streamed) =>
      begun(
        streamed,
        Buffer.concat([
          Buffer.from(streamed ? `${event("a")}data: {"choices":[{"delta":{"content":"` : '{"choices":"'),
          HALF_CHARACTER,
        ]),
      ),
    ),
    whole: failed,
    streamed: cut(),
  },
  {
    name: "ends properly, within an event or an object",
    upstream: bytes((streamed) => ended(streamed, bodyOf(streamed).slice(0, -90))),
    whole: failed,
    streamed: cut(),
  },
  {
    name: "ends properly, within an object and behind a brace",
    upstream: bytes((streamed) => whole(streamed ? event("a") : COMPLETION.slice(0, -1), typeOf(streamed))),
    // The client's own parser sees it.
    whole: { met: { raised: "SyntaxError" }, asked: [1, 1] },
    streamed: cut(),
  },
  {
    name: "ends properly, without a finish reason or `[DONE]`",
    upstream: bytes((streamed) => ended(streamed, streamed ? event("a") + event("b") : COMPLETION)),
    whole: complete,
    streamed: cut(),
  },
  {
    name: "falls silent within its answer",
    upstream: bytes((streamed) => begun(streamed, bodyOf(streamed).slice(0, -30))),
    whole: late,
    streamed: cut("upstream_timeout"),
  },
  {
    name: "sends one byte at a time, each in time",
    upstream: (socket, { streamed }) => {
      const all = usualBytes(streamed);
      let at = 0;
      const next = () => {
        at += 1;
        if (at <= all.length) socket.write(all.subarray(at - 1, at), () => setImmediate(next));
      };
      next();
    },
    ...both(complete),
  },
  {
    name: "200 with an error, as first event of a stream",
    upstream: bytes((streamed) =>
      ended(streamed, streamed ? `data: ${ERROR}\n\n${event("a", "stop")}` : ERROR),
    ),
    ...both(failed),
  },
  {
    name: "an error within a stream",
    upstream: bytes((streamed) => ended(streamed, streamed ? `${event("a")}data: ${ERROR}\n\n` : COMPLETION)),
    whole: complete,
    streamed: cut("quota"),
  },
  {
    name: "200 with an empty body",
    upstream: bytes((streamed) => whole("", typeOf(streamed))),
    ...both(failed),
  },
  { name: "204", upstream: bytes(() => head("", "204 No Content")), ...both(failed) },
  {
    name: "302",
    upstream: bytes(() => head("location: /v1/other\r\ncontent-length: 0\r\n", "302 Found")),
    ...both(failed),
  },
  {
    name: "401",
    upstream: bytes(() =>
      head(`${JSON_TYPE}content-length: ${ERROR.length}\r\n`, "401 Unauthorized").concat(ERROR),
    ),
    ...both(raised(502, "upstream_credential_rejected", [1, 1])),
  },
  {
    name: "429 with `retry-after`",
    upstream: bytes(() =>
      head(
        `${JSON_TYPE}retry-after: 1\r\ncontent-length: ${ERROR.length}\r\n`,
        "429 Too Many Requests",
      ).concat(ERROR),
    ),
    ...both(raised(429, "quota")),
  },
  {
    name: "500",
    upstream: bytes(() =>
      head(`${JSON_TYPE}content-length: ${ERROR.length}\r\n`, "500 Internal Server Error").concat(ERROR),
    ),
    ...both(raised(500, "quota")),
  },
  {
    name: "a page in place of an answer",
    upstream: bytes(() => whole("<html><body>Sign in first</body></html>", "text/html")),
    ...both(failed),
  },
  {
    name: "the right answer under `text/plain`",
    upstream: bytes((streamed) => whole(bodyOf(streamed), "text/plain")),
    ...both(complete),
  },
  {
    name: "a stream where none was asked for, an object where one was",
    upstream: bytes((streamed) => whole(bodyOf(!streamed), typeOf(!streamed))),
    ...both(failed),
  },
  ...[
    { name: "gzip", pack: gzipSync },
    { name: "br", pack: brotliCompressSync },
  ].map(({ name, pack }) => ({
    name: `compresses (${name}) though asked not to`,
    upstream: bytes((streamed) =>
      whole(pack(bodyOf(streamed)), typeOf(streamed), `content-encoding: ${name}\r\n`),
    ),
    ...both(failed),
  })),
  {
    name: "trailers",
    upstream: bytes((streamed) =>
      Buffer.concat([
        Buffer.from(head(`${streamed ? SSE_TYPE : JSON_TYPE}${CHUNKED}trailer: x-sum\r\n`)),
        chunk(bodyOf(streamed)),
        Buffer.from("0\r\nx-sum: 9\r\n\r\n"),
      ]),
    ),
    ...both(complete),
  },
  {
    name: "HTTP/1.0 without a length",
    upstream: closing(
      (streamed) => `HTTP/1.0 200 OK\r\ncontent-type: ${typeOf(streamed)}\r\n\r\n${bodyOf(streamed)}`,
    ),
    ...both(complete),
  },
  {
    name: "HTTP/1.0 without a length, closed too early behind a brace",
    upstream: closing((streamed) => {
      const body = streamed ? event("Hel") + event("lo.") : COMPLETION.slice(0, COMPLETION.indexOf("}") + 1);
      return `HTTP/1.0 200 OK\r\ncontent-type: ${typeOf(streamed)}\r\n\r\n${body}`;
    }),
    whole: failed,
    streamed: cut(),
  },
  {
    name: "a length greater than the body",
    upstream: closing((streamed) =>
      head(`content-type: ${typeOf(streamed)}\r\ncontent-length: 5000\r\n`).concat(bodyOf(streamed)),
    ),
    whole: failed,
    // The whole stream has passed by then, its end mark included.
    streamed: complete,
  },
  {
    name: "a length smaller than the body",
    upstream: closing((streamed) =>
      head(`content-type: ${typeOf(streamed)}\r\ncontent-length: 200\r\n`).concat(bodyOf(streamed)),
    ),
    whole: failed,
    streamed: cut(),
  },
  {
    name: "data behind the end",
    upstream: bytes((streamed) => Buffer.concat([whole(bodyOf(streamed), typeOf(streamed)), HALF_CHARACTER])),
    ...both(complete),
  },
  {
    name: "two answers to one request",
    upstream: bytes((streamed) =>
      Buffer.concat([whole(bodyOf(streamed), typeOf(streamed)), whole(ERROR, "application/json")]),
    ),
    ...both(complete),
  },
  {
    name: "events behind `[DONE]`",
    upstream: bytes((streamed) => ended(streamed, streamed ? `${STREAM}data: ${ERROR}\n\n` : COMPLETION)),
    ...both(complete),
  },
  {
    name: "`103 Early Hints` first",
    upstream: bytes((streamed) =>
      Buffer.concat([Buffer.from("HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"), usualBytes(streamed)]),
    ),
    ...both(complete),
  },
  {
    name: "`100 Continue` that nobody asked for",
    upstream: bytes((streamed) =>
      Buffer.concat([Buffer.from("HTTP/1.1 100 Continue\r\n\r\n"), usualBytes(streamed)]),
    ),
    ...both(failed),
  },
  {
    name: "a head over 32 KiB",
    upstream: bytes((streamed) =>
      head(`content-type: ${typeOf(streamed)}\r\n${"a: b\r\n".repeat(20_000)}`).concat(bodyOf(streamed)),
    ),
    ...both(failed),
  },
];
