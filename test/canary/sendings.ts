import { request as httpRequest, type IncomingMessage } from "node:http";
import { rawRequest, sendRaw } from "#test/gates/raw.ts";
import { claviger } from "#test/start/process.ts";
import type { Canaries } from "./canaries.ts";
import { ECHOES, type EchoUpstream } from "./echo-upstream.ts";

/** A running server, and what is needed to talk to it. */
export interface Subject {
  readonly url: string;
  readonly dataDir: string;
  readonly key: string;
  readonly upstream: EchoUpstream;
  /** A key that may use the gateway and nothing else. */
  readonly lesserKey: string;
  /** A key that may read models and not use them. */
  readonly readingKey: string;
  /** The API's routes, so that each one is tried. */
  readonly routes: readonly { readonly method: string; readonly path: string }[];
}

interface Sending {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

const MODEL = "echo/echo-1";
const JSON_TYPE = { "content-type": "application/json" };
const PATHS = ["chat/completions", "responses", "embeddings", "images/generations", "audio/speech"];
const FORM_PATHS = ["images/edits", "audio/transcriptions"];

/** Sends and reads to the end, or to the cut. Gives the status; 0 when there was none. */
function send(
  to: string | { socketPath: string },
  { method, path, headers, body }: Sending,
): Promise<number> {
  const target = typeof to === "string" ? { host: new URL(to).hostname, port: new URL(to).port } : to;
  const length = body === undefined ? {} : { "content-length": Buffer.byteLength(body) };
  return new Promise((resolve) => {
    const done = (response: IncomingMessage) => resolve(response.statusCode ?? 0);
    const options = { ...target, method, path, headers: { ...length, ...headers }, agent: false };
    const outgoing = httpRequest(options, (response) => {
      response.resume();
      response.on("error", () => done(response));
      response.on("close", () => done(response));
    });
    outgoing.on("error", () => resolve(0));
    outgoing.end(body);
  });
}

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

/** Requests that are refused, for each reason, with a canary in what is wrong. */
export async function sendMalformed(subject: Subject, canaries: Canaries): Promise<void> {
  const wrong = (place: string) => canaries.plain("malformed requests", place);
  const chat = { method: "POST", path: "/v1/chat/completions", headers: auth(subject) };
  const bodies: (string | Buffer)[] = [
    `{"model":"${wrong("JSON without end")}`,
    `{"model":"${MODEL}",${wrong("no JSON")}}`,
    `{"model":"${wrong("unknown model")}"}`,
    `{"model":"echo/${wrong("unknown model of a provider")}","messages":[]}`,
    `{"model":"${wrong("unknown provider")}/echo-1"}`,
    `{"model":"${wrong("long model").repeat(30)}"}`,
    `{"model":"${wrong("control character")}\\u0001"}`,
    `{"model":["${wrong("model of a wrong type")}"]}`,
    `{"model":"${MODEL}","stream":"${wrong("stream of a wrong type")}"}`,
    `{"model":"${MODEL}","model":"${wrong("model twice")}"}`,
    `{"model":"${MODEL}","a":${"[".repeat(80)}"${wrong("too deep")}"`,
    `"${wrong("no object")}"`,
    Buffer.concat([Buffer.from(`{"model":"${wrong("no UTF-8")}`), Buffer.from([0xff]), Buffer.from('"}')]),
  ];
  for (const body of bodies)
    for (const key of [subject.key, subject.lesserKey, subject.readingKey])
      await send(subject.url, { ...chat, headers: auth({ key }), body });
  for (const [name, value] of [
    ["content-type", `text/${wrong("content type")}`],
    ["content-type", `multipart/form-data; boundary="${wrong("boundary")}`],
    ["content-encoding", wrong("content coding")],
    ["origin", `http://${wrong("origin")}`],
    ["host", `${wrong("host")}.example`],
    ["expect", wrong("expectation")],
  ] as const)
    await send(subject.url, { ...chat, headers: { ...chat.headers, [name]: value }, body: "{}" });
  await sendWrongPaths(subject, canaries);
  await sendWrongCredentials(subject, canaries);
  for (const text of [
    `${wrong("no HTTP at all")}\r\n\r\n`,
    rawRequest(`${wrong("method").toUpperCase()} / HTTP/1.1`),
    rawRequest(`GET /${wrong("target with a blank")} x HTTP/1.1`),
    rawRequest("GET / HTTP/1.1", [`x-${wrong("header name with a blank")} : 1`]),
    rawRequest("GET / HTTP/1.1", [`x: ${wrong("large header").repeat(700)}`]),
    rawRequest("POST /v1/chat/completions HTTP/1.1", [
      "content-length: 1",
      `content-length: ${wrong("length")}`,
    ]),
    rawRequest(
      "POST /v1/chat/completions HTTP/1.1",
      [
        `authorization: Bearer ${subject.key}`,
        "content-type: application/json",
        "transfer-encoding: chunked",
      ],
      `${wrong("chunk size")}\r\n`,
    ),
    rawRequest(`CONNECT ${wrong("CONNECT")}.example:443 HTTP/1.1`),
  ])
    await sendRaw(subject.url, text);
}

async function sendWrongPaths(subject: Subject, canaries: Canaries): Promise<void> {
  const part = (place: string) => canaries.plain("paths and queries", place);
  const paths = [
    `/${part("/")}`,
    `/v1/${part("/v1/")}`,
    `/v1beta/models/${part("/v1beta/models/")}`,
    `/x/${part("/x/")}/a`,
    `/v1/models/${part("/v1/models/")}`,
    `/v1/images/${part("/v1/images/")}`,
    `/v1/audio/speech/${part("below a route")}`,
    `/api/v1/${part("/api/v1/")}`,
    `/v1/chat/completions/../${part("dot segments")}`,
    `/v1/%2F${part("a coded slash")}`,
    `/v1/%zz${part("a broken code")}`,
    `//${part("two slashes")}`,
    `/v1/models?cursor=${part("query of the models")}`,
    `/health?x=${part("query of /health")}`,
    `/v1/chat/completions#${part("fragment")}`,
  ];
  for (const path of paths)
    for (const method of ["GET", "POST"])
      await send(subject.url, {
        method,
        path,
        headers: auth(subject),
        ...(method === "POST" ? { body: "{}" } : {}),
      });
  for (const name of ["api_key", "key", "access_token", "token", "API-KEY"])
    await send(subject.url, { method: "GET", path: `/v1/models?${name}=${part(`credential in ${name}`)}` });
}

async function sendWrongCredentials(subject: Subject, canaries: Canaries): Promise<void> {
  const wrong = (place: string) => canaries.plain("wrong credentials", place);
  const headers: Record<string, string>[] = [
    { authorization: `Bearer ${wrong("Bearer")}` },
    { authorization: `Bearer sk-claviger-${wrong("like a key")}` },
    { authorization: `Bearer ${subject.key.slice(0, -12)}${wrong("behind a known id")}` },
    { authorization: `Basic ${Buffer.from(`user:${wrong("Basic")}`).toString("base64")}` },
    { authorization: wrong("no scheme") },
    { "x-api-key": wrong("x-api-key") },
    { "api-key": wrong("api-key") },
    { "x-goog-api-key": wrong("x-goog-api-key") },
    { authorization: `Bearer ${subject.key}`, "x-api-key": wrong("a second one") },
    { cookie: `claviger_session=${wrong("session cookie")}` },
  ];
  for (const more of headers)
    for (const path of ["/v1/models", "/v1/chat/completions", "/api/v1/keys", "/api/v1/unknown"]) {
      const method = path === "/v1/chat/completions" ? "POST" : "GET";
      await send(subject.url, { method, path, headers: { ...JSON_TYPE, ...more } });
    }
}

/** Every route of the API with a canary as path, query, field, value and broken body; then each secret field. */
export async function sendToApi(subject: Subject, canaries: Canaries): Promise<void> {
  const socket = { socketPath: `${subject.dataDir}/run/control.sock` };
  for (const { method, path } of subject.routes) {
    const at = (what: string) => canaries.plain("wrong fields of the API", `${what}, ${method} ${path}`);
    const named = (what: string) => path.replace(/\{[^}]+\}/g, () => at(what));
    const bodies = [
      `{"${at("field name")}":1}`,
      JSON.stringify({ name: at("name"), value: at("value"), key: at("key"), password: at("password") }),
      JSON.stringify({ name: `${at("name with a blank")} `, credentials: at("credentials of a wrong type") }),
      `{"name":"${at("body without end")}`,
      `["${at("list")}"]`,
    ];
    const calls: Sending[] =
      method === "GET" || method === "HEAD"
        ? [{ method, path: `${named("path")}?limit=${at("limit")}&cursor=${at("cursor")}&by=${at("by")}` }]
        : bodies.map((body) => ({ method, path: named("path"), headers: JSON_TYPE, body }));
    for (const call of calls) {
      await send(socket, call);
      for (const key of [subject.key, subject.lesserKey])
        await send(subject.url, { ...call, headers: { ...call.headers, ...auth({ key }) } });
    }
  }
  await sendProviders(socket, canaries, subject);
}

async function sendProviders(
  socket: { socketPath: string },
  canaries: Canaries,
  subject: Subject,
): Promise<void> {
  const path = "/api/v1/providers";
  const secret = (place: string) => canaries.plain("secret fields of the API", place);
  const good = { kind: "openai-compatible", base_url: subject.upstream.baseUrl };
  const credential = (value: string, more: object = {}) => [{ type: "api_key", value, ...more }];
  const bodies: object[] = [
    { name: "kept", ...good, credentials: credential(secret("a credential that is kept")) },
    { name: "kept", ...good, credentials: credential(secret("a credential, the name being taken")) },
    { name: "bad", ...good, credentials: credential(`${secret("a credential with a blank")} x`) },
    { name: "bad", ...good, credentials: credential(secret("a credential too long").repeat(300)) },
    { name: "bad", ...good, credentials: credential("x", { type: secret("the type") }) },
    { name: "bad", ...good, credentials: credential("x", { secret: secret("an unknown field") }) },
    { name: "bad", ...good, credential: secret("credential") },
    { name: "bad", ...good, api_key: secret("api_key") },
    { name: secret("the name, the kind being wrong"), kind: "none", base_url: good.base_url },
    { name: `${secret("a refused name")} `, ...good },
    { name: "bad", kind: secret("the kind"), base_url: good.base_url },
    { name: "bad", kind: good.kind, base_url: secret("a base URL that is none") },
    { name: "bad", kind: good.kind, base_url: `https://user:${secret("user info of the base URL")}@h/v1` },
    { name: "bad", kind: good.kind, base_url: `https://h/v1?key=${secret("query of the base URL")}` },
  ];
  for (const body of bodies)
    await send(socket, { method: "POST", path, headers: JSON_TYPE, body: JSON.stringify(body) });
  const changed = JSON.stringify({ credentials: credential(secret("a credential that replaces another")) });
  await send(socket, { method: "PATCH", path: `${path}/kept`, headers: JSON_TYPE, body: changed });
  const test = { method: "POST", path: `${path}/kept/test` };
  for (const how of ECHOES) {
    subject.upstream.behave(
      how,
      canaries.rich("what the upstream says", `${how}, to a test of the provider`),
    );
    await send(socket, test);
    const body = JSON.stringify({ model: "kept/echo-1", messages: [] });
    await send(subject.url, { method: "POST", path: "/v1/chat/completions", headers: auth(subject), body });
  }
}

/** Commands with a secret on stdin, where it belongs, and in places where it does not. Gives what they wrote. */
export async function sendByCommand(subject: Subject, canaries: Canaries): Promise<string> {
  const secret = (place: string) => canaries.plain("the command line", place);
  const add = (name: string) => ["provider", "add", name, "--base-url", subject.upstream.baseUrl];
  const kind = ["--kind", "openai-compatible"];
  const commands: { args: string[]; input?: string }[] = [
    { args: [...add("by-command"), ...kind], input: secret("a credential on stdin") },
    { args: [...add("by-command"), ...kind], input: secret("a credential on stdin, the name being taken") },
    { args: [...add("bad name"), ...kind], input: secret("a credential on stdin, the name being wrong") },
    { args: [...add("bad"), "--kind", "none"], input: secret("a credential on stdin, the kind being wrong") },
    { args: [...add("bad"), ...kind], input: `${secret("a credential of two words")} x` },
    {
      args: ["provider", "set-credential", "by-command"],
      input: secret("a credential that replaces another"),
    },
    { args: ["provider", "set-credential", "nobody"], input: secret("a credential of nobody") },
    { args: [...add("bad"), secret("a credential as argument")] },
    { args: [...add("bad"), "--credential", secret("a credential as value of an unknown option")] },
    { args: [...add("bad"), `--credential=${secret("a credential as part of an unknown option")}`] },
    { args: ["provider", secret("a credential in place of a command")] },
    { args: ["provider", "list", secret("a credential too many")] },
    { args: ["api-key", "validate", "no-hash", "--key", secret("a key to validate")] },
    { args: ["api-key", "validate", "no-hash"], input: secret("a key to validate on stdin") },
  ];
  let written = "";
  for (const { args, input } of commands) {
    const global = args[0] === "api-key" ? [] : ["--data-dir", subject.dataDir];
    const ended = await claviger([...args, ...global], input === undefined ? {} : { input: `${input}\n` });
    written += ended.stdout + ended.stderr;
  }
  return written;
}

function auth({ key }: Pick<Subject, "key">): Record<string, string> {
  return { ...JSON_TYPE, authorization: `Bearer ${key}` };
}
