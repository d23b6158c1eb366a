import { expect, test, vi } from "vitest";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { codeOf, firstPerson, freshPassword, logIn } from "../people/person.ts";

vi.setConfig({ testTimeout: 300_000 });

const ROUNDS = 600;
const WARM_UP = 60;
const TOLERANCE = 0.05;
/** What a busy machine adds is in the slower ones; a real difference is in all of them. */
const QUICKER_SHARE = 0.25;
/** Asked more, the figures come nearer to each other where nothing but chance parts them. */
const ATTEMPTS = 4;
/** So little that whatever else differs is seen beside it. */
const SEAL_COST = { memoryKib: 512, passes: 1, lanes: 1 };

const KINDS = [
  ["a wrong password", "admin"],
  ["a wrong password of who has a second factor", "maria"],
  ["an unknown user", "nobody"],
  ["an unknown user of a long name", "n".repeat(200)],
] as const;

test("[U1] an unknown user and a wrong password are refused in the same time, asked in turns, within 5 % at the quicker quarter", async () => {
  const clock = new FakeClock();
  const env = { TRUSTED_PROXIES: "127.0.0.1" };
  await using server = await startClaviger({ clock, env, sealCost: SEAL_COST });
  await firstPerson(server);
  await addWithFactor(server, clock);
  const times = KINDS.map((): number[] => []);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    await measure(server, clock, times);
    const found = times.map(quicker);
    if (Math.max(...found) / Math.min(...found) - 1 <= TOLERANCE) return;
  }
  expect(times.map((taken, at) => `${KINDS[at]?.[0]}: ${quicker(taken).toFixed(3)} ms`)).toEqual([]);
});

function quicker(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length * QUICKER_SHARE)] ?? 0;
}

/** Notes what each kind took, asked in turns, each time another first, so that whatever slows one slows all. */
async function measure(server: TestClaviger, clock: FakeClock, times: number[][]): Promise<void> {
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
