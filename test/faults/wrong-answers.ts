import { brotliCompressSync, gzipSync } from "node:zlib";
import {
  bodyOf,
  bytes,
  CHUNKED,
  COMPLETION,
  chunk,
  closing,
  ERROR,
  ended,
  event,
  HALF_CHARACTER,
  head,
  JSON_TYPE,
  SSE_TYPE,
  STREAM,
  typeOf,
  usualBytes,
} from "./answers.ts";
import { both, complete, cut, type Fault, failed, raised } from "./fault.ts";
import { whole } from "./raw-upstream.ts";

/** Answers that arrive and are not what was asked for. */
export const WRONG_ANSWERS: readonly Fault[] = [
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
