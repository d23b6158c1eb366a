import type { Misbehaviour } from "./raw-upstream.ts";

export const head = (lines: string, status = "200 OK") => `HTTP/1.1 ${status}\r\n${lines}\r\n`;
export const JSON_TYPE = "content-type: application/json\r\n";
export const SSE_TYPE = "content-type: text/event-stream\r\n";
export const CHUNKED = "transfer-encoding: chunked\r\n";
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
export const ERROR = JSON.stringify({
  error: { message: "out of quota", type: "server_error", code: "quota" },
});

export const chunk = (text: string | Buffer) =>
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
export const begun = (streamed: boolean, body: string | Buffer) =>
  Buffer.concat([Buffer.from(head(`${streamed ? SSE_TYPE : JSON_TYPE}${CHUNKED}`)), chunk(body)]);
export const ended = (streamed: boolean, body: string | Buffer) =>
  Buffer.concat([begun(streamed, body), Buffer.from(LAST_CHUNK)]);
export const bodyOf = (streamed: boolean) => (streamed ? STREAM : COMPLETION);
export const typeOf = (streamed: boolean) => (streamed ? "text/event-stream" : "application/json");
export const HALF_CHARACTER = Buffer.from("é").subarray(0, 1);

export const bytes =
  (make: (streamed: boolean) => string | Buffer): Misbehaviour =>
  (socket, { streamed }) =>
    void socket.write(make(streamed));
export const closing =
  (make: (streamed: boolean) => string | Buffer): Misbehaviour =>
  (socket, { streamed }) =>
    void socket.end(make(streamed));
