import type { Canaries } from "./canaries.ts";
import { ECHOES } from "./echo-upstream.ts";
import { auth, JSON_TYPE, type Sending, type Subject, send } from "./subject.ts";

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
  const named = [
    { value: secret("a secret that is kept under a name") },
    { value: `${secret("a secret with a blank")} x` },
    { value: secret("a secret too long").repeat(300) },
    { value: "x", more: secret("an unknown field beside a secret") },
  ];
  for (const body of named)
    await send(socket, {
      method: "PUT",
      path: "/api/v1/credentials/kept",
      headers: JSON_TYPE,
      body: JSON.stringify(body),
    });
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
