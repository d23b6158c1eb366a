import { expect, test } from "vitest";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { firstPerson, freshPassword, logIn } from "./person.ts";

const PROXY = { TRUSTED_PROXIES: "127.0.0.1" };
const from = (address: string) => ({ "x-forwarded-for": address });
const HERE = from("192.0.2.1");

/** Wrong API keys from one address; how each was answered. */
async function wrongKeys(server: TestClaviger, times: number): Promise<number[]> {
  const statuses = [];
  const headers = { authorization: "Bearer nobody's", ...HERE };
  for (let tries = 0; tries < times; tries++)
    statuses.push((await server.call({ path: "/v1/models", headers })).status);
  return statuses;
}

async function signIns(server: TestClaviger): Promise<number> {
  const { json } = await server.control({ path: "/api/v1/audit?limit=1000" });
  const rows: { action: string; outcome: string }[] = Object(json).data;
  return rows.filter(({ action, outcome }) => action === "user.login" && outcome === "success").length;
}

test("[A12] past the limit of its address no password is looked at, a right one neither; keys and sessions pass", async () => {
  const clock = new FakeClock();
  await using server = await startClaviger({ clock, env: PROXY });
  const own = await firstPerson(server);
  const { key } = await server.issueKey("app");
  const before = await signIns(server);
  expect(await wrongKeys(server, 61)).toEqual([...Array(60).fill(401), 429]);
  const next = freshPassword();
  const asked = (current: string) => [
    { method: "POST", path: "/login/password", body: { password: current } },
    { method: "POST", path: "/api/v1/me/reauthenticate", body: { password: current } },
    { method: "PUT", path: "/api/v1/me/password", body: { current_password: current, new_password: next } },
  ];
  // Ten that were looked at would lock the address for an hour.
  const calls = [...Array.from({ length: 4 }, () => asked(freshPassword())).flat(), ...asked(own.password)];
  for (const call of calls) {
    const refused = await own.call({ ...call, headers: HERE });
    expect([refused.status, refused.headers["retry-after"], refused.json], call.path).toEqual([
      429,
      "1",
      expect.objectContaining({ code: "rate_limited" }),
    ]);
    expect(refused.headers).not.toHaveProperty("set-cookie");
  }
  expect(await signIns(server)).toBe(before);
  const bearer = { authorization: `Bearer ${key}`, ...HERE };
  expect((await server.call({ path: "/v1/models", headers: bearer })).status).toBe(200);
  expect(await own.status({ path: "/api/v1/keys", headers: HERE })).toBe(200);
  expect((await logIn(server, { password: own.password }, from("192.0.2.2"))).status).toBe(200);
  clock.advance(1000);
  expect((await logIn(server, { password: own.password }, HERE)).status).toBe(200);
});

test("[A12] right passwords and right server keys are no failures of their address, wrong ones are", async () => {
  const clock = new FakeClock();
  await using server = await startClaviger({ clock, env: PROXY });
  const own = await firstPerson(server);
  const key = freshPassword();
  const again = (password: string) =>
    own.status({ method: "POST", path: "/api/v1/me/reauthenticate", body: { password }, headers: HERE });
  const keyCall = (verb: string, body?: object) =>
    own.status({ method: "POST", path: `/api/v1/key/${verb}`, body, headers: HERE });
  expect(await wrongKeys(server, 57)).toEqual(Array(57).fill(401));
  expect((await logIn(server, { password: own.password }, HERE)).status).toBe(200);
  expect(await again(own.password)).toBe(204);
  expect(await keyCall("initialize", { key })).toBe(200);
  expect(await keyCall("lock")).toBe(200);
  expect(await keyCall("unlock", { key })).toBe(200);
  expect((await logIn(server, { password: freshPassword() }, HERE)).status).toBe(401);
  expect(await again(freshPassword())).toBe(403);
  expect(await keyCall("unlock", { key: freshPassword() })).toBe(403);
  expect(await wrongKeys(server, 1)).toEqual([429]);
});
