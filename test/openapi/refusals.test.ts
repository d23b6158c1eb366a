import { afterAll, beforeAll, expect, test } from "vitest";
import { ERRORS } from "#platform/lib/error.ts";
import { type Call, startClaviger, type TestClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { cookieOf, firstPerson, freshPassword, logIn, type Person, withCookie } from "../people/person.ts";
import { type Description, describe, type Operation } from "./description.ts";

const clock = new FakeClock();
let server: TestClaviger;
let own: Person;
let description: Description;
beforeAll(async () => {
  server = await startClaviger({ clock });
  own = await firstPerson(server);
  description = await describe(server);
});
afterAll(() => server[Symbol.asyncDispose]());

/** Asks every operation, and gives the names of those that answered `code`; each answer must be described. */
async function met(
  code: string,
  callOf: (operation: Operation) => Omit<Call, "path" | "method">,
  asked = server,
): Promise<string[]> {
  const names = [];
  for (const operation of description.operations) {
    // Nodes ask each other over TLS; elsewhere there are no such pages. Of a HEAD nothing is read.
    if (operation.path.startsWith("/cluster/") || operation.method === "HEAD") continue;
    const path = operation.path.replace(/\{\w+\}/g, "thing");
    clock.advance(1_000);
    const answer = await asked.call({ method: operation.method, path, ...callOf(operation) });
    if (answer.status < 300 || !answer.text.includes(`"${code}"`)) continue;
    const what = `${operation.name} ${answer.text}`;
    expect(description.complaint(operation, answer.status, answer.json), what).toBeUndefined();
    expect(operation.responses[answer.status]?.["x-claviger-codes"], what).toContain(code);
    names.push(operation.name);
  }
  return names.toSorted();
}

/** The operations that say that they may answer it, of those that are asked. */
function said(code: string, which: (operation: Operation) => boolean = () => true): string[] {
  const claims = ({ responses }: Operation) =>
    Object.values(responses).some((each) => each["x-claviger-codes"]?.includes(code) === true);
  const asked = description.operations.filter(
    (each) => !each.path.startsWith("/cluster/") && each.method !== "HEAD" && claims(each) && which(each),
  );
  return asked.map(({ name }) => name).toSorted();
}

const exampleOf = ({ requestBody }: Operation) => Object.values(requestBody?.content ?? {})[0]?.example;

test("[W4] [A10] every operation that a page of another origin is refused says so, and no other", async () => {
  const headers = { origin: "https://evil.example" };
  expect(await met("cross_origin", () => ({ headers }))).toEqual(said("cross_origin"));
});

test("[W4] [U6] what asks for the password again says so, and nothing else does", async () => {
  clock.advance(16 * 60_000);
  const found = await met("reauthenticate", (operation) => ({
    headers: withCookie(own.cookie),
    ...(exampleOf(operation) === undefined ? {} : { body: exampleOf(operation) }),
  }));
  // Which of them are the harmful ones is said by the promise.
  expect(found).toEqual(said("reauthenticate"));
  expect(found).toContain("POST /api/v1/key/initialize");
});

test("[W4] [U2] what is refused before the first password was changed says so", async () => {
  await using fresh = await startClaviger();
  const cookie = cookieOf(await logIn(fresh, { password: "123456" })).value ?? "";
  const others = [];
  for (const name of said("password_change_required")) {
    const operation = description.operations.find((each) => each.name === name);
    if (operation === undefined || operation.path === "/sse") continue;
    const path = operation.path.replace(/\{\w+\}/g, "thing");
    const body = exampleOf(operation);
    const call = { method: operation.method, path, ...(body === undefined ? {} : { body }) };
    const answer = await fresh.call({ ...call, headers: withCookie(cookie) });
    if (!answer.text.includes('"password_change_required"')) others.push(`${name}: ${answer.text}`);
    else expect(description.complaint(operation, answer.status, answer.json), name).toBeUndefined();
  }
  expect(others).toEqual([]);
});

test("[W4] [S4] every operation that is shut while the server is locked says so, and no other", async () => {
  await using shut = await startClaviger();
  const key = freshPassword();
  await shut.control({ method: "POST", path: "/api/v1/key/initialize", body: { key } });
  await shut.control({ method: "POST", path: "/api/v1/key/lock" });
  const isShut = (operation: Operation) => operation["x-claviger-open-while-locked"] !== true;
  expect(await met("server_locked", () => ({}), shut)).toEqual(said("server_locked", isShut));
});

test("[W4] every code of the table is of some operation, and every credential of the description is a scheme of it", () => {
  const codes = description.operations.flatMap(({ responses }) =>
    Object.values(responses).flatMap((each) => each["x-claviger-codes"] ?? []),
  );
  expect(Object.keys(ERRORS).filter((code) => !codes.includes(code))).toEqual([]);
  const { securitySchemes } = Object(JSON.parse(description.text).components);
  expect(securitySchemes.session).toMatchObject({ type: "apiKey", in: "cookie", name: "claviger_session" });
  const used = new Set(description.operations.flatMap(({ security }) => security.flatMap(Object.keys)));
  expect([...used].toSorted()).toEqual(Object.keys(securitySchemes).toSorted());
  for (const { name, path, security } of description.operations)
    if (security.length > 0 && /^\/(api|sse|metrics|logout)/.test(path))
      expect(security, name).toContainEqual({ session: [] });
});

test("[W4] every name in a path is a parameter, once, and every operation has a name of its own", () => {
  const { paths } = JSON.parse(description.text);
  const ids = description.operations.map(({ path, method }) =>
    String(Object(paths[path])[method.toLowerCase()].operationId),
  );
  expect(new Set(ids).size).toBe(ids.length);
  for (const { path, method, name } of description.operations) {
    const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, word]) => word);
    const parameters: object[] = Object(paths[path])[method.toLowerCase()].parameters ?? [];
    const inPath = parameters.filter((each) => Object(each).in === "path").map((each) => Object(each).name);
    expect(inPath.toSorted(), name).toEqual(names.toSorted());
  }
});
