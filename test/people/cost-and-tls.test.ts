import { request } from "node:https";
import { expect, test } from "vitest";
import { type Call, startClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { cookieOf, firstPerson, freshPassword, logIn } from "./person.ts";

const HOST = { resource_type: "HttpServer", listen_addr: "127.0.0.1:0" };

/** The `Set-Cookie` of what is answered over TLS, whoever signed the certificate. */
function cookieOverTls(url: string, { method = "GET", path, body, headers = {} }: Call): Promise<string> {
  const json = body === undefined ? {} : { "content-type": "application/json" };
  const options = { method, rejectUnauthorized: false, agent: false, headers: { ...json, ...headers } };
  return new Promise((resolve, reject) => {
    const outgoing = request(`${url}${path}`, options, (answer) => {
      answer.resume();
      answer.once("end", () => resolve(String(answer.headers["set-cookie"]?.[0])));
    });
    outgoing.once("error", reject);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

test("[U3] the cookie is Secure where the listener speaks TLS, also the one that prolongs or ends a session, and not on plain loopback", async () => {
  const resources = {
    plain: { ...HOST, auth: ["users"] },
    shielded: { ...HOST, auth: ["users"], tls: "auto" },
  };
  const clock = new FakeClock();
  await using server = await startClaviger({ clock, listen: [], yaml: JSON.stringify({ resources }) });
  const { password } = await firstPerson(server);
  const shielded = server.app.urls.find((url) => url.startsWith("https:")) ?? "";
  const signIn = { method: "POST", path: "/login/password", body: { password } };
  const begun = await cookieOverTls(shielded, signIn);
  clock.advance(2 * 60 * 60_000);
  const headers = { cookie: begun.split(";")[0] ?? "" };
  const prolonged = await cookieOverTls(shielded, { path: "/api/v1/me", headers });
  const ended = await cookieOverTls(shielded, { method: "POST", path: "/logout", headers });
  expect(ended).toMatch(/^claviger_session=; Path=\/; Max-Age=0;/);
  for (const cookie of [begun, prolonged, ended])
    expect(cookie).toMatch(/; HttpOnly; SameSite=Strict; Secure$/);
  expect(cookieOf(await logIn(server, { password }))).not.toHaveProperty("secure");
});

test("[U1] an unknown user costs what a wrong password costs", async () => {
  // Far more than everything else that a sign-in costs.
  const sealCost = { memoryKib: 32 * 1024, passes: 3, lanes: 1 };
  const env = { TRUSTED_PROXIES: "127.0.0.1" };
  await using server = await startClaviger({ clock: new FakeClock(), env, sealCost });
  await firstPerson(server);
  const took: Record<string, number[]> = { admin: [], nobody: [] };
  for (let round = 0; round < 7; round++)
    for (const [username, times] of Object.entries(took)) {
      const begun = performance.now();
      const from = { "x-forwarded-for": `192.0.2.${round}` };
      expect((await logIn(server, { username, password: freshPassword() }, from)).status).toBe(401);
      times.push(performance.now() - begun);
    }
  const [known = 0, unknown = 0] = Object.values(took).map((times) => times.toSorted((a, b) => a - b)[3]);
  expect(unknown / known).toBeGreaterThan(0.5);
  expect(unknown / known).toBeLessThan(2);
});
