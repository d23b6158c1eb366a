import { request } from "node:https";
import { expect, test } from "vitest";
import { startClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { cookieOf, firstPerson, freshPassword, logIn } from "./person.ts";

const HOST = { resource_type: "HttpServer", listen_addr: "127.0.0.1:0" };

/** The `Set-Cookie` of a sign-in over TLS, whoever signed the certificate. */
function cookieOverTls(url: string, password: string): Promise<string> {
  const headers = { "content-type": "application/json" };
  const options = { method: "POST", rejectUnauthorized: false, agent: false, headers };
  return new Promise((resolve, reject) => {
    const outgoing = request(`${url}/login/password`, options, (answer) => {
      answer.resume();
      answer.once("end", () => resolve(String(answer.headers["set-cookie"]?.[0])));
    });
    outgoing.once("error", reject);
    outgoing.end(JSON.stringify({ password }));
  });
}

test("[U3] the cookie is Secure where the listener speaks TLS, and not on plain loopback", async () => {
  const resources = {
    plain: { ...HOST, auth: ["users"] },
    shielded: { ...HOST, auth: ["users"], tls: "auto" },
  };
  await using server = await startClaviger({ listen: [], yaml: JSON.stringify({ resources }) });
  const { password } = await firstPerson(server);
  const shielded = server.app.urls.find((url) => url.startsWith("https:")) ?? "";
  expect(await cookieOverTls(shielded, password)).toMatch(/; HttpOnly; SameSite=Strict; Secure$/);
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
