import { rawRequest, sendRaw } from "#test/gates/raw.ts";
import type { Canaries } from "./canaries.ts";
import { auth, JSON_TYPE, MODEL, type Subject, send } from "./subject.ts";

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
