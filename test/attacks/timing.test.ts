import { expect, test, vi } from "vitest";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { codeOf, firstPerson, freshPassword, logIn } from "../people/person.ts";

vi.setConfig({ testTimeout: 300_000 });

const ROUNDS = 600;
const WARM_UP = 60;
const TOLERANCE = 0.05;
/** A busy machine can spoil a measurement, a real difference spoils them all. */
const ATTEMPTS = 4;
/** So little that whatever else differs is seen beside it. */
const SEAL_COST = { memoryKib: 512, passes: 1, lanes: 1 };

const KINDS = [
  ["a wrong password", "admin"],
  ["a wrong password of who has a second factor", "maria"],
  ["an unknown user", "nobody"],
  ["an unknown user of a long name", "n".repeat(200)],
] as const;

test("[U1] an unknown user and a wrong password are refused in the same time, medians in turns within 5 %", async () => {
  const clock = new FakeClock();
  const env = { TRUSTED_PROXIES: "127.0.0.1" };
  await using server = await startClaviger({ clock, env, sealCost: SEAL_COST });
  await firstPerson(server);
  await addWithFactor(server, clock);
  const found: string[] = [];
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const medians = await measure(server, clock);
    if (Math.max(...medians) / Math.min(...medians) - 1 <= TOLERANCE) return;
    found.push(medians.map((median, at) => `${KINDS[at]?.[0]}: ${median.toFixed(3)} ms`).join(", "));
  }
  expect(found).toEqual([]);
});

/** The median of each kind, asked in turns, each time another first, so that whatever slows one slows all. */
async function measure(server: TestClaviger, clock: FakeClock): Promise<number[]> {
  const times = KINDS.map((): number[] => []);
  for (let round = 0; round < WARM_UP + ROUNDS; round++)
    for (let step = 0; step < KINDS.length; step++) {
      const at = (round + step * (round % 2 === 0 ? 1 : 3)) % KINDS.length;
      const from = { "x-forwarded-for": `198.51.${round & 255}.${at}` };
      // What was counted before counts no more.
      clock.advance(60_000);
      const begun = performance.now();
      const { status } = await logIn(
        server,
        { username: KINDS[at]?.[1] ?? "", password: freshPassword() },
        from,
      );
      if (round >= WARM_UP) times[at]?.push(performance.now() - begun);
      if (status !== 401) throw new Error(`${KINDS[at]?.[0]} is answered ${status}`);
    }
  return times.map((taken) => taken.sort((a, b) => a - b)[ROUNDS / 2] ?? 0);
}

async function addWithFactor(server: TestClaviger, clock: FakeClock): Promise<void> {
  const password = freshPassword();
  const body = { username: "maria", password, permissions: [], must_change_password: false };
  await server.control({ method: "POST", path: "/api/v1/users", body });
  const { headers } = await logIn(server, { username: "maria", password });
  const cookie = String(headers["set-cookie"]).split(";")[0] ?? "";
  const factor = "/api/v1/me/second-factor";
  const begun = await server.call({ method: "POST", path: factor, headers: { cookie } });
  const code = codeOf(String(Object(begun.json).secret), clock.now());
  const confirm = { method: "POST", path: `${factor}/confirm`, body: { code }, headers: { cookie } };
  expect((await server.call(confirm)).status).toBe(200);
}
