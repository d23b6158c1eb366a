import { createConfig, lintFromString } from "@redocly/openapi-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { publicPath } from "#platform/http/openapi.ts";
import { type Answer, startClaviger, type TestClaviger } from "#test/claviger.ts";
import { OFFLINE } from "#test/offline.ts";
import { startUpstream, UPSTREAM_MODEL } from "#test/upstream.ts";
import { codeOf, Person, person } from "../people/person.ts";
import { newPair } from "../reload/file.ts";
import { type Description, describe, type Operation } from "./description.ts";

let server: TestClaviger;
let description: Description;
beforeAll(async () => {
  server = await startClaviger();
  description = await describe(server);
});
afterAll(() => server[Symbol.asyncDispose]());

const contentOf = (operation: Operation, status: string) =>
  Object.values(operation.responses[status]?.content ?? {});
const isOwn = ({ path }: Operation) => !/^\/(v1|x)\//.test(path);

test("[W4] [H8] the description holds every route that exists, each method of it, and nothing else", () => {
  const routes = server.app
    .routes()
    .filter(({ method, contract }) => method !== "HEAD" || contract?.method === "HEAD");
  const expected = routes.map(({ contract }) => ({
    name: `${contract?.method} ${publicPath(contract?.path ?? "")}`,
    action: contract?.action,
    locked: contract?.openWhileLocked,
    open: contract?.action === "open",
  }));
  const said = description.operations.map((operation) => ({
    name: operation.name,
    action: operation["x-claviger-action"],
    locked: operation["x-claviger-open-while-locked"],
    open: operation.security.length === 0,
  }));
  const byName = (a: { name: string }, b: { name: string }) => a.name.localeCompare(b.name);
  expect(said.toSorted(byName)).toEqual(expected.toSorted(byName));
  expect(said.length).toBeGreaterThan(25);
});

test("[W4] every operation has one sentence, every body of ours and every 200 and 201 an example", () => {
  for (const operation of description.operations) {
    expect(operation.summary, operation.name).toMatch(/^[A-Z](?!.*\. ).*\.$/);
    expect(Object.keys(operation.responses), operation.name).toContainEqual(expect.stringMatching(/^2\d\d$/));
    if (!isOwn(operation)) continue;
    const body = Object.values(operation.requestBody?.content ?? {});
    for (const shape of [...body, ...contentOf(operation, "200"), ...contentOf(operation, "201")])
      expect(shape.example, operation.name).toBeDefined();
  }
});

test("[W4] redocly's recommended rules find nothing to object to, and would", async () => {
  const config = await createConfig({ extends: ["recommended"] });
  const problemsOf = async (source: string) =>
    (await lintFromString({ source, config })).map(({ ruleId, message }) => `${ruleId}: ${message}`);
  expect(await problemsOf(description.text)).toEqual([]);
  expect(await problemsOf(description.text.replace('"seq":12,', ""))).toContainEqual(
    expect.stringContaining("seq"),
  );
});

test("[W4] two servers describe themselves by the same bytes", async () => {
  await using other = await startClaviger();
  expect((await describe(other)).text).toBe(description.text);
});

test("[H8] a viewer reads the description, a stranger and a key without rights do not", async () => {
  const ask = (headers = {}) => server.call({ path: "/api/v1/openapi.json", headers });
  const bearer = async (name: string, sets: string[]) => ({
    authorization: `Bearer ${(await server.issueKey(name, sets)).key}`,
  });
  expect((await ask()).status).toBe(401);
  expect((await ask(await bearer("bare", []))).status).toBe(403);
  for (const set of ["viewer", "gateway", "member", "operator", "superadmin"])
    expect((await ask(await bearer(set, [set]))).text).toBe(description.text);
});

/** So that no list is empty. */
async function useOnce(own: TestClaviger, baseUrl: string): Promise<void> {
  await own.addProvider("used", baseUrl, "word");
  const { key } = await own.issueKey("used");
  const body = { model: UPSTREAM_MODEL, messages: [{ role: "user", content: "Hello" }] };
  const headers = { authorization: `Bearer ${key}` };
  const { status } = await own.call({ method: "POST", path: "/v1/chat/completions", headers, body });
  expect(status).toBe(200);
}

/** In an order in which each finds what it needs; `{…}` stands for what its list was given before. */
const STEPS: readonly string[] = [
  "POST /api/v1/setup-code",
  "POST /login/password",
  "PUT /api/v1/me/password",
  "POST /api/v1/me/reauthenticate",
  "GET /api/v1/me",
  "GET /api/v1/me/sessions",
  "DELETE /api/v1/me/sessions",
  "DELETE /api/v1/me/sessions/{id}",
  "POST /api/v1/me/second-factor",
  "POST /api/v1/me/second-factor/confirm",
  "DELETE /api/v1/me/second-factor",
  "POST /logout",
  "POST /api/v1/users",
  "GET /api/v1/users",
  "PATCH /api/v1/users/{id}",
  "PUT /api/v1/users/{id}/password",
  "POST /api/v1/users/{id}/second-factor",
  "POST /api/v1/users/{id}/second-factor/confirm",
  "DELETE /api/v1/users/{id}/second-factor",
  "DELETE /api/v1/users/{id}",
  "GET /health",
  "GET /healthz",
  "GET /readyz",
  "GET /api/v1/info",
  "GET /api/v1/key/status",
  "GET /api/v1/status",
  "GET /api/v1/nodes",
  "GET /api/nodes",
  "GET /api/v1/openapi.json",
  "GET /metrics",
  "POST /api/v1/providers",
  "GET /api/v1/providers",
  "GET /api/v1/providers/{name}",
  "PATCH /api/v1/providers/{name}",
  "POST /api/v1/providers/{name}/test",
  "GET /api/v1/models",
  "POST /api/v1/keys",
  "GET /api/v1/keys",
  "GET /api/v1/keys/{id}",
  "PATCH /api/v1/keys/{id}",
  "POST /api/v1/keys/{id}/rotate",
  "GET /api/v1/permission-sets",
  "GET /api/v1/identities",
  "GET /api/v1/identities/{name}",
  "PUT /api/v1/credentials/{name}",
  "GET /api/v1/credentials",
  "POST /api/v1/config/reload",
  "GET /api/v1/first-run",
  "PUT /api/v1/first-run",
  "GET /api/v1/settings",
  "GET /api/v1/listeners",
  "GET /api/v1/requests",
  "GET /api/v1/requests/principals",
  "GET /api/v1/usage",
  "GET /api/v1/overview",
  "GET /api/v1/overview/top",
  "GET /api/v1/audit",
  "GET /api/v1/audit/chain",
  "GET /api/v1/cluster",
  "POST /api/v1/cluster/init",
  "POST /api/v1/cluster/open",
  "POST /api/v1/cluster/rename",
  "POST /api/v1/cluster/propagate",
  // Without a server key nothing is locked.
  "POST /api/v1/cluster/lock",
  "POST /api/v1/cluster/leave",
  "DELETE /api/v1/keys/{id}",
  "POST /api/v1/keys/leaked",
  "DELETE /api/v1/credentials/{name}",
  "DELETE /api/v1/providers/{name}",
  "POST /api/v1/key/initialize",
  "POST /api/v1/key/unlock",
  "GET /api/v1/backup",
  "POST /api/v1/backup",
  "POST /api/v1/key/rotate",
  "GET /api/v1/key/reseal",
  "GET /api/v1/key/details",
  "DELETE /api/v1/key/recovery",
  "POST /api/v1/key/lock",
];

const TWO_SERVERS = ["/api/v1/cluster/join", "/api/v1/nodes/{id}"];
const NETWORK = ["/api/v1/cluster/discover"];

test("[W4] every example of a call works against a server as it stands, and is answered as described", async () => {
  await using upstream = await startUpstream();
  // The example's provider is nobody we may call from here.
  const pair = newPair();
  const resources = {
    till: { resource_type: "Identity", credential: { api_key: pair.hash }, permissions: "gateway" },
    up: { resource_type: "Provider", kind: "openai", credential: { secret: "sealed" } },
  };
  await using own = await startClaviger({ workers: 1, egress: OFFLINE, yaml: JSON.stringify({ resources }) });
  await useOnce(own, upstream.baseUrl);
  const made = new Map<string, unknown>([
    ["/api/v1/identities", { name: "till" }],
    ["/api/v1/credentials", { name: "sealed" }],
  ]);
  const done: string[] = [];
  const somebody = new Person(own, { cookie: "", password: "" });
  for (const name of STEPS) {
    const operation = description.operations.find((each) => each.name === name);
    if (operation === undefined) throw new Error(`${name} is not described`);
    const [body] = Object.values(operation.requestBody?.content ?? {});
    const [list = ""] = operation.path.split("/{");
    if (name === "DELETE /api/v1/me/sessions/{id}") made.set(list, { id: await otherSession(own) });
    const path = operation.path.replace(/\{(\w+)\}/g, (_, word: string) => member(made.get(list), word));
    if (name === "DELETE /api/v1/credentials/{name}") await own.app.declareProviders([]);
    // A text that is a key's cannot stand in an example.
    const leaked = () => ({ key: member(made.get("/api/v1/keys"), "key") });
    // Nor can a code of now.
    const now = () => ({ code: codeOf(member(made.get("enrolment"), "secret"), Date.now()) });
    const given = name.endsWith("/leaked") ? leaked() : body?.example;
    const sent = name.endsWith("/confirm") ? now() : given;
    const isPersonal = /^\/(login\/|logout$|api\/v1\/me(\/|$))/.test(path);
    const call = { method: operation.method, path, body: sent };
    const answer = await (isPersonal ? somebody.call(call) : own.control(call));
    expect(answer.status, `${name}: ${answer.text}`).toBeLessThan(300);
    expect(description.complaint(operation, answer.status, bodyOf(answer)), name).toBeUndefined();
    if (answer.status === 201 && !operation.path.includes("{")) made.set(operation.path, answer.json);
    if (operation.method === "POST" && name.endsWith("/second-factor")) made.set("enrolment", answer.json);
    done.push(name);
  }
  expect(done.toSorted()).toEqual(
    description.operations
      // What never ends has tests of its own, and what takes two servers or a network.
      .filter((operation) => isOwn(operation) && operation.path !== "/sse")
      .filter(({ path }) => !path.startsWith("/cluster/") && ![...TWO_SERVERS, ...NETWORK].includes(path))
      .map(({ name }) => name)
      .toSorted(),
  );
});

/** The id of one more session of the user whose password the example has set. */
async function otherSession(own: TestClaviger): Promise<string> {
  const { cookie } = await person(own, "an example of a password");
  return member(JSON.parse(Buffer.from(cookie.split(".")[1] ?? "", "base64url").toString()), "jti");
}

function bodyOf({ text, json }: Answer): unknown {
  return text === "" ? undefined : (json ?? text);
}

function member(value: unknown, name: string): string {
  return String(Object.getOwnPropertyDescriptor(value, name)?.value);
}

test("[W4] what a route refuses is described: its status, its code and its shape", async () => {
  const bare = `Bearer ${(await server.issueKey("bare-too", [])).key}`;
  const met = new Set<string>();
  for (const operation of description.operations.filter(({ method }) => method !== "HEAD")) {
    const path = operation.path.replace(/\{\w+\}/g, "thing");
    const { method, name } = operation;
    const big = "1".repeat(2 ** 20);
    const tries = [
      { path, headers: {} },
      { path, headers: { authorization: bare } },
      { path, headers: { host: "elsewhere.example" } },
      { path, headers: { authorization: bare, "x-api-key": "other" } },
      { path: `${path}?token=x`, headers: { authorization: bare } },
      ...(method === "GET" ? [] : [{ path, headers: { authorization: bare }, body: big + big }]),
      ...(method === "GET"
        ? []
        : [{ path, headers: { authorization: bare, "content-type": "a/b" }, body: "x" }]),
    ];
    for (const one of tries) {
      const answer = await server.call({ method, ...one });
      if (answer.status < 300) continue;
      expect(
        description.complaint(operation, answer.status, answer.json),
        `${name} ${answer.text}`,
      ).toBeUndefined();
      const code = /"(?:error_)?code":"(\w+)"/.exec(answer.text)?.[1] ?? "";
      expect(operation.responses[answer.status]?.["x-claviger-codes"], name).toContain(code);
      met.add(code);
    }
  }
  for (const code of ["invalid_token", "forbidden", "wrong_host", "credential_in_url", "body_too_large"])
    expect(met).toContain(code);
});

const provider = { name: "taken", kind: "openai", credentials: [] };
const key = { name: "taken", permissions: ["superadmin"] };
const metadata = "http://169.254.169.254/v1";
test.each([
  ["POST /api/v1/providers", "conflict", provider],
  ["POST /api/v1/providers", "base_url_denied", { ...provider, name: "new", base_url: metadata }],
  ["POST /api/v1/providers", "unknown_field", { ...provider, other: 1 }],
  ["PATCH /api/v1/providers/{name}", "base_url_denied", { base_url: metadata, credentials: [] }],
  ["PATCH /api/v1/providers/{name}", "bad_request", { credentials: [{ type: "api_key", value: "a b" }] }],
  ["POST /api/v1/keys", "conflict", { ...key, permissions: [] }],
  ["POST /api/v1/keys", "exceeds_own_rights", { ...key, name: "new" }],
  ["GET /api/v1/usage", "unknown_field", undefined],
] as const)("[W4] %s may answer %s, and is described so", async (name, code, body) => {
  await using own = await startClaviger({ egress: OFFLINE });
  await own.control({ method: "POST", path: "/api/v1/providers", body: provider });
  const operator = await own.issueKey("taken", ["operator"]);
  const operation = description.operations.find((each) => each.name === name);
  if (operation === undefined) throw new Error(`${name} is not described`);
  const path = operation.path.replace("{name}", "taken") + (body === undefined ? "?other=1" : "");
  const headers = { authorization: `Bearer ${operator.key}` };
  const answer = await own.call({ method: operation.method, path, headers, body });
  expect(answer.json, answer.text).toMatchObject({ code });
  expect(description.complaint(operation, answer.status, answer.json)).toBeUndefined();
  expect(operation.responses[answer.status]?.["x-claviger-codes"]).toContain(code);
});
