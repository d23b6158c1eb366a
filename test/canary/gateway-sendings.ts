import type { Canaries } from "./canaries.ts";
import { ECHOES } from "./echo-upstream.ts";
import { auth, MODEL, type Subject, send } from "./subject.ts";

const PATHS = ["chat/completions", "responses", "embeddings", "images/generations", "audio/speech"];
const FORM_PATHS = ["images/edits", "audio/transcriptions"];

/** Well-formed requests with a canary in every field, each answered by the upstream in every way it knows. */
export async function sendThroughGateway(subject: Subject, canaries: Canaries): Promise<void> {
  for (const how of ECHOES) {
    subject.upstream.behave(how, canaries.rich("what the upstream says", how));
    for (const stream of [false, true]) await sendChat(subject, canaries, { how, stream });
  }
  subject.upstream.behave("failure", canaries.rich("what the upstream says", "an error"));
  for (const path of PATHS) {
    const place = `POST /v1/${path}`;
    const prompt = canaries.rich("prompts", place);
    const body = JSON.stringify({ model: MODEL, messages: [{ content: prompt }], input: prompt, prompt });
    await send(subject.url, { method: "POST", path: `/v1/${path}`, headers: auth(subject), body });
  }
  for (const path of FORM_PATHS) await sendForm(subject, canaries, path);
}

async function sendChat(
  subject: Subject,
  canaries: Canaries,
  { how, stream }: { how: string; stream: boolean },
): Promise<void> {
  const place = `upstream: ${how}${stream ? ", streamed" : ""}`;
  const text = (field: string) => canaries.rich("fields of requests", `${field}, ${place}`);
  const header = (name: string) => canaries.plain("headers of requests", `${name}, ${place}`);
  const body = {
    model: MODEL,
    stream,
    messages: [
      { role: "system", content: text("system prompt") },
      { role: "user", name: text("name"), content: [{ type: "text", text: text("prompt") }] },
    ],
    user: text("user"),
    metadata: { [text("metadata key")]: text("metadata value") },
    tools: [{ type: "function", function: { name: text("tool"), description: text("description") } }],
    unknown_field: text("unknown field"),
    [text("field name")]: 1,
  };
  const headers = {
    ...auth(subject),
    accept: `application/json; a=${header("accept")}`,
    cookie: `session=${header("cookie")}`,
    "user-agent": header("user-agent"),
    referer: `http://${header("referer")}/`,
    "idempotency-key": header("idempotency-key"),
    "openai-beta": header("openai-beta"),
    "openai-organization": header("openai-organization"),
    "x-stainless-os": header("x-stainless-os"),
    // Not of the form that counts, so that it is not taken over.
    "x-request-id": `${header("x-request-id")} !`,
    "x-forwarded-for": header("x-forwarded-for"),
    [`x-${header("header name")}`]: "1",
  };
  const query = `?q=${canaries.plain("paths and queries", `query, ${place}`)}`;
  await send(subject.url, {
    method: "POST",
    path: `/v1/chat/completions${query}`,
    headers,
    body: JSON.stringify(body),
  });
}

async function sendForm(subject: Subject, canaries: Canaries, path: string): Promise<void> {
  const part = (what: string) => canaries.plain("parts of forms", `${what}, /v1/${path}`);
  const boundary = part("boundary");
  const lines = [
    `--${boundary}`,
    'content-disposition: form-data; name="model"',
    "",
    MODEL,
    `--${boundary}`,
    `content-disposition: form-data; name="${part("name")}"; filename="${part("file name")}.png"`,
    `content-type: image/${part("content type")}`,
    `x-${part("header name")}: ${part("header")}`,
    "",
    part("file"),
    `--${boundary}`,
    'content-disposition: form-data; name="prompt"',
    "",
    part("prompt"),
    `--${boundary}--`,
    "",
  ];
  const headers = { ...auth(subject), "content-type": `multipart/form-data; boundary=${boundary}` };
  const request = { method: "POST", path: `/v1/${path}`, headers };
  await send(subject.url, { ...request, body: lines.join("\r\n") });
  await send(subject.url, { ...request, body: lines.slice(0, 8).join("\r\n") });
}
