import { expect, test } from "vitest";
import { startClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { firstPerson, freshPassword, logIn } from "./person.ts";

const PROXY = { TRUSTED_PROXIES: "127.0.0.0/8,10.0.0.0/8" };
const HOUR_MS = 60 * 60_000;
const from = (address: string) => ({ "x-forwarded-for": address });

async function fail(server: Parameters<typeof logIn>[0], times: number, address: string): Promise<number[]> {
  const statuses = [];
  for (let tries = 0; tries < times; tries++)
    statuses.push(
      (await logIn(server, { username: `u${tries}`, password: freshPassword() }, from(address))).status,
    );
  return statuses;
}

test("[U4] ten failures lock an address for an hour, unknown users among them, also across a restart, and no other address", async () => {
  const clock = new FakeClock();
  await using server = await startClaviger({ clock, env: PROXY });
  const { password } = await firstPerson(server);
  expect(await fail(server, 10, "192.0.2.1")).toEqual(Array(10).fill(401));
  const locked = await logIn(server, { password }, from("192.0.2.1"));
  expect([locked.status, locked.headers["retry-after"], locked.json]).toEqual([
    429,
    "3600",
    expect.objectContaining({ code: "rate_limited" }),
  ]);
  expect((await logIn(server, { password }, from("192.0.2.2"))).status).toBe(200);
  expect((await logIn(server, { password })).status).toBe(200);
  await server.app.close();
  clock.advance(HOUR_MS - 1000);
  await using again = await startClaviger({ clock, env: PROXY, dataDir: server.dataDir });
  const late = await logIn(again, { password }, from("192.0.2.1"));
  expect([late.status, late.headers["retry-after"]]).toEqual([429, "1"]);
  clock.advance(1000);
  expect(await fail(again, 9, "192.0.2.1")).toEqual(Array(9).fill(401));
  expect((await logIn(again, { password }, from("192.0.2.1"))).status).toBe(200);
});

test("[U4] a lock that began while the clock was years ahead holds for an hour of the right time, also over a restart", async () => {
  const clock = new FakeClock();
  await using server = await startClaviger({ clock, env: PROXY });
  const { password } = await firstPerson(server);
  const yearsMs = 3 * 365 * 24 * HOUR_MS;
  clock.advance(yearsMs);
  expect(await fail(server, 10, "192.0.2.1")).toEqual(Array(10).fill(401));
  await server.app.close();
  clock.advance(-yearsMs);
  await using again = await startClaviger({ clock, env: PROXY, dataDir: server.dataDir });
  const locked = await logIn(again, { password }, from("192.0.2.1"));
  expect([locked.status, locked.headers["retry-after"]]).toEqual([429, "3600"]);
  clock.advance(HOUR_MS - 1000);
  expect((await logIn(again, { password }, from("192.0.2.1"))).status).toBe(429);
  clock.advance(1000);
  expect((await logIn(again, { password }, from("192.0.2.1"))).status).toBe(200);
});

test("[U4] of thirty tries at once ten are judged", async () => {
  await using server = await startClaviger({ clock: new FakeClock(), env: PROXY });
  await firstPerson(server);
  const tries = Array.from({ length: 30 }, () =>
    logIn(server, { password: freshPassword() }, from("192.0.2.7")),
  );
  const statuses = (await Promise.all(tries)).map(({ status }) => status);
  expect([401, 429].map((wanted) => statuses.filter((status) => status === wanted).length)).toEqual([10, 20]);
});

test("[U4] an IPv6 network of /64 counts as one address, and its neighbour as another", async () => {
  await using server = await startClaviger({ clock: new FakeClock(), env: PROXY });
  const { password } = await firstPerson(server);
  for (let host = 1; host <= 10; host++)
    expect(await fail(server, 1, `2001:db8:0:1::${host}`)).toEqual([401]);
  expect(await fail(server, 1, "2001:db8:0:1:ffff::1")).toEqual([429]);
  expect((await logIn(server, { password }, from("2001:db8:0:2::1"))).status).toBe(200);
  expect(await fail(server, 10, "::ffff:192.0.2.9")).toEqual(Array(10).fill(401));
  expect(await fail(server, 1, "192.0.2.9")).toEqual([429]);
});

test("[U4] [A7] behind trusted proxies the rightmost address that is none of theirs counts, whatever stands left of it", async () => {
  await using server = await startClaviger({ clock: new FakeClock(), env: PROXY });
  const { password } = await firstPerson(server);
  for (let tries = 0; tries < 10; tries++)
    expect(await fail(server, 1, `203.0.113.${tries}, 192.0.2.1, 10.0.0.${tries}`)).toEqual([401]);
  expect(await fail(server, 1, "192.0.2.1")).toEqual([429]);
  expect(await fail(server, 1, "203.0.113.1, 192.0.2.1:4711")).toEqual([429]);
  expect((await logIn(server, { password }, from("192.0.2.1, 203.0.113.1"))).status).toBe(200);
  // What is no address is its proxy's own word, and counts as his.
  expect((await logIn(server, { password }, from("192.0.2.1, unknown"))).status).toBe(200);
});

test("[U4] [A7] a forwarded address from anybody else is nothing: who forges one is locked out, and nobody else is", async () => {
  await using server = await startClaviger({ clock: new FakeClock() });
  const { password } = await firstPerson(server);
  for (let tries = 0; tries < 10; tries++) expect(await fail(server, 1, `192.0.2.${tries}`)).toEqual([401]);
  expect((await logIn(server, { password }, from("192.0.2.200"))).status).toBe(429);
  await using trusting = await startClaviger({
    clock: new FakeClock(),
    env: { TRUSTED_PROXIES: "10.0.0.1" },
  });
  await firstPerson(trusting);
  for (let tries = 0; tries < 10; tries++) expect(await fail(trusting, 1, `192.0.2.${tries}`)).toEqual([401]);
  expect(await fail(trusting, 1, "192.0.2.201")).toEqual([429]);
});

test("[U4] [A12] passwords given within a session count too, and an address past its limit is not worked for", async () => {
  const clock = new FakeClock();
  await using server = await startClaviger({ clock, env: PROXY });
  const own = await firstPerson(server);
  const again = (password: string) =>
    own.status({
      method: "POST",
      path: "/api/v1/me/reauthenticate",
      body: { password },
      headers: from("192.0.2.3"),
    });
  for (let tries = 0; tries < 10; tries++) expect(await again(freshPassword())).toBe(403);
  expect(await again(own.password)).toBe(429);
  expect(await fail(server, 1, "192.0.2.3")).toEqual([429]);
  const wrong = { path: "/api/v1/me", headers: { authorization: "Bearer nobody's", ...from("192.0.2.4") } };
  for (let tries = 0; tries < 60; tries++) await server.call(wrong);
  const refused = await logIn(server, { password: own.password }, from("192.0.2.4"));
  expect([refused.status, refused.headers["retry-after"]]).toEqual([429, "1"]);
});

test("[U4] [A7] trusted proxies hold in every thread: keys are held to the address that they forward", async () => {
  await using server = await startClaviger({ env: PROXY, workers: 2 });
  const body = { name: "narrow", permissions: ["gateway"], allowed_ips: ["192.0.2.0/24"] };
  const made = await server.control({ method: "POST", path: "/api/v1/keys", body });
  const authorization = `Bearer ${String(Object(made.json).key)}`;
  const ask = (address: string) =>
    server.call({ path: "/v1/models", headers: { authorization, "x-forwarded-for": address } });
  for (let tries = 0; tries < 8; tries++) {
    expect((await ask("192.0.2.1")).status).toBe(200);
    expect((await ask("192.0.2.1, 203.0.113.1")).status).toBe(401);
  }
});
