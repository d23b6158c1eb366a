import { afterAll, beforeAll, expect, test } from "vitest";
import type { RouteContract } from "#platform/http/route.ts";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { person } from "./person.ts";

let server: TestClaviger;
beforeAll(async () => {
  server = await startClaviger();
});
afterAll(() => server[Symbol.asyncDispose]());

/** The routes whose contract says so, without the HEAD that comes with each GET. */
function routesThat(say: (contract: RouteContract) => boolean): string[] {
  return server.app
    .routes()
    .filter(({ method, contract }) => method !== "HEAD" && contract !== undefined && say(contract))
    .map(({ method, contract }) => `${method} ${contract?.path}`)
    .toSorted();
}

test("[U6] these routes, and no others, ask a session for the password again", () => {
  expect(routesThat(({ asksPasswordAgain }) => asksPasswordAgain === true)).toEqual([
    "DELETE /api/v1/key/recovery",
    "DELETE /api/v1/me/second-factor",
    "DELETE /api/v1/users/{id}",
    "DELETE /api/v1/users/{id}/second-factor",
    "GET /api/v1/backup",
    "PATCH /api/v1/users/{id}",
    "POST /api/v1/backup",
    "POST /api/v1/key/initialize",
    "POST /api/v1/key/rotate",
    "POST /api/v1/me/second-factor",
    "POST /api/v1/users",
    "POST /api/v1/users/{id}/second-factor",
    "POST /api/v1/users/{id}/second-factor/confirm",
    "PUT /api/v1/users/{id}/password",
  ]);
});

test("[U2] a session that must set a new password may see who it is, set one and sign out, and nothing else", async () => {
  const open = ["GET /api/v1/me", "POST /logout", "PUT /api/v1/me/password"];
  expect(routesThat(({ beforePasswordChange }) => beforePasswordChange === true)).toEqual(open);
  const own = await person(server, "123456");
  for (const path of ["/sse", "/metrics", "/api/nodes", "/api/v1/openapi.json"]) {
    const { status, json } = await own.call({ path });
    expect([status, json], path).toEqual([
      403,
      expect.objectContaining({ code: "password_change_required" }),
    ]);
  }
});
