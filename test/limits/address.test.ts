import { expect, test } from "vitest";
import { startClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";

const WRONG = `sk-claviger-${"0".repeat(12)}_${"0".repeat(49)}`;

async function guarded() {
  const clock = new FakeClock();
  const claviger = await startClaviger({ clock });
  const { id, key } = await claviger.issueKey("app", ["superadmin"]);
  const ask = (credential: string, path = "/v1/models") =>
    claviger.call({ path, headers: { authorization: `Bearer ${credential}` } });
  const fail = async (times: number) => {
    for (let failed = 0; failed < times; failed++) expect((await ask(WRONG)).status).toBe(401);
  };
  return Object.assign(claviger, { clock, key, id, ask, fail });
}

test("[A12] [C6] beyond 60 wrong credentials a wrong one is 429 with Retry-After at once, and a right one passes", async () => {
  await using server = await guarded();
  await server.fail(60);
  for (const path of ["/v1/models", "/v1/none"])
    expect(await server.ask(WRONG, path)).toMatchObject({
      status: 429,
      headers: { "retry-after": "1" },
      json: { error: { type: "rate_limit_error", code: "rate_limited" } },
    });
  expect(await server.ask("malformed", "/api/v1/keys")).toMatchObject({
    status: 429,
    headers: { "retry-after": "1" },
    json: { code: "rate_limited" },
  });
  for (const path of ["/v1/models", "/api/v1/keys"])
    expect((await server.ask(server.key, path)).status).toBe(200);
  server.clock.advance(1000);
  await server.fail(1);
  expect((await server.ask(WRONG)).status).toBe(429);
});

test("[A12] a revoked key counts as a wrong one; right ones and requests with none do not count", async () => {
  await using server = await guarded();
  for (let asked = 0; asked < 70; asked++) {
    expect((await server.ask(server.key)).status).toBe(200);
    expect((await server.call({ path: "/api/v1/keys" })).status).toBe(401);
  }
  await server.fail(59);
  await server.control({ method: "DELETE", path: `/api/v1/keys/${server.id}` });
  expect((await server.ask(server.key)).status).toBe(401);
  expect((await server.ask(server.key)).status).toBe(429);
  // Who presents nothing is told to, whatever else came from his address.
  expect((await server.call({ path: "/api/v1/keys" })).status).toBe(401);
});

test("[A12] [N10] the control socket is never limited, nor does what is wrong there count", async () => {
  await using server = await guarded();
  const headers = { authorization: `Bearer ${WRONG}` };
  for (let asked = 0; asked < 70; asked++)
    expect((await server.control({ path: "/api/v1/keys", headers })).status).toBe(200);
  await server.fail(60);
  expect((await server.ask(WRONG)).status).toBe(429);
  expect((await server.control({ path: "/api/v1/keys" })).status).toBe(200);
});
