import { expect, test } from "vitest";
import { ApiProblem, isProblem, problemOf } from "./api-problem.ts";

const answer = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  problemOf(new Response(typeof body === "string" ? body : JSON.stringify(body), { status, headers }));

test("a problem of the server keeps its words, its code, the request's id and how long to wait", async () => {
  const body = { title: "Too many tries.", detail: "Wait.", code: "rate_limited", status: 429 };
  const problem = await answer(429, body, { "retry-after": "3600", "x-request-id": "req_1" });
  expect(problem).toMatchObject({
    ...{ status: 429, code: "rate_limited", title: "Too many tries.", message: "Wait." },
    ...{ requestId: "req_1", retryAfterS: 3600, isLocked: false, fields: {} },
  });
  expect(await answer(403, { title: "No.", code: "forbidden" })).toMatchObject({ message: "No." });
});

test("what is no problem of the server is one of its status: HTML, nothing, other JSON, wrong types", async () => {
  for (const body of ["<html>", "", "null", [1], { title: 1, detail: {}, code: null }])
    expect(await answer(502, body)).toMatchObject({
      ...{ code: "unknown", title: "The server answered 502.", message: "The server answered 502." },
      ...{ requestId: null, retryAfterS: null },
    });
});

test("a wait that is no number of seconds is none", async () => {
  const waits = ["soon", "Fri, 31 Dec 1999 23:59:59 GMT"];
  for (const wait of waits) expect((await answer(429, {}, { "retry-after": wait })).retryAfterS).toBe(null);
  expect((await answer(429, {}, { "retry-after": "0" })).retryAfterS).toBe(0);
});

test("only a 503 with the header is a lock", async () => {
  const header = { "x-claviger-locked": "true" };
  expect((await answer(503, {}, header)).isLocked).toBe(true);
  expect((await answer(503, { code: "server_locked" })).isLocked).toBe(false);
  expect((await answer(500, {}, header)).isLocked).toBe(false);
  expect((await answer(503, {}, { "x-claviger-locked": "1" })).isLocked).toBe(false);
});

test("what the server refuses in a body is found by its field", async () => {
  const detail = "body/name must match, or be empty, body/limits/concurrency must be >= 1";
  expect((await answer(400, { detail })).fields).toEqual({
    name: "must match, or be empty",
    "limits.concurrency": "must be >= 1",
  });
  expect((await answer(400, { detail: "the body is no JSON" })).fields).toEqual({});
  expect((await answer(400, { detail: "querystring/limit must be >= 1" })).fields).toEqual({});
});

test("a refusal is known by one of its codes, and nothing else is one", async () => {
  const problem = await answer(403, { code: "wrong_key" });
  expect(problem).toBeInstanceOf(ApiProblem);
  expect([isProblem(problem), isProblem(problem, "a", "wrong_key"), isProblem(problem, "a")]).toEqual([
    true,
    true,
    false,
  ]);
  for (const other of [null, undefined, new Error("wrong_key"), { code: "wrong_key" }])
    expect(isProblem(other)).toBe(false);
});
