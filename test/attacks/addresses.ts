import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { seededRandom } from "#test/seeded-random.ts";
import { firstPerson, freshPassword, logIn } from "../people/person.ts";
import { type Outcome, Tally } from "./outcome.ts";

const HOUR_MS = 60 * 60_000;
const PROXY = { TRUSTED_PROXIES: "127.0.0.0/8,10.0.0.0/8" };
/** What an address is allowed in an hour. */
const JUDGED = 10;
const random = seededRandom(7);
const byte = () => random.bytes(1)[0] ?? 0;
const group = () => random.bytes(2).toString("hex");

/** Addresses, lists of them, and what is none. */
function forwardedValues(count: number): string[] {
  const kinds: readonly (() => string)[] = [
    () => `${byte()}.${byte()}.${byte()}.${byte()}`,
    () => `${byte()}.${byte()}.${byte()}.${byte()}:${byte() * 200}`,
    () => `2001:db8:${group()}:${group()}::${group()}`,
    () => `[2001:db8::${group()}]`,
    () => `[2001:db8::${group()}]:${byte() * 200}`,
    () => `::ffff:${byte()}.${byte()}.${byte()}.${byte()}`,
    () => `::ffff:${group()}:${group()}`,
    () => `fe80::${group()}%eth${byte()}`,
    () => `fe80::${group()}%25lo`,
    () => `10.0.0.${byte()}`,
    () => `127.0.0.${byte()}, 10.0.0.${byte()}`,
    () => `${byte()}.${byte()}.${byte()}.${byte()}, ${byte()}.${byte()}.${byte()}.${byte()}`,
    () => Array.from({ length: 50 }, () => `${byte()}.${byte()}.1.1`).join(","),
    () => `${byte()}.${byte()}.${byte()}`,
    () => `0x${group()}${group()}`,
    () => `0${byte()}.${byte()}.${byte()}.${byte()}`,
    () => `${byte()}${byte()}${byte()}.1.1.1`,
    () => `unknown, _hidden${byte()}`,
    () => `for=${byte()}.${byte()}.${byte()}.${byte()};proto=https`,
    () => `"${byte()}.${byte()}.${byte()}.${byte()}"`,
    () => `localhost${byte()}`,
    () => ",".repeat(byte() + 1),
    () => `${"9".repeat(byte() * 8)}.1.1.1`,
    () => `${byte()}.1.1.1 ${byte()}.1.1.1`,
    () => `\u00e9${group()}`,
    () => "",
  ];
  return Array.from({ length: count }, (_, at) => kinds[at % kinds.length]?.() ?? "");
}

const OTHER_HEADERS = [
  "x-real-ip",
  "forwarded",
  "x-client-ip",
  "true-client-ip",
  "cf-connecting-ip",
  "x-forwarded",
  "x-cluster-client-ip",
];

/** Wrong passwords, a fresh forwarded address with each, over so many hours: what is judged beyond ten in an hour. */
async function guess(
  attack: string,
  options: {
    env: Record<string, string>;
    tries: number;
    hours: number;
    headersOf: (at: number) => Record<string, string>;
  },
): Promise<Outcome> {
  const tally = new Tally(attack);
  const clock = new FakeClock();
  await using server = await startClaviger({ clock, env: options.env });
  const { password } = await firstPerson(server);
  for (let hour = 0; hour < options.hours; hour++) {
    let judged = 0;
    for (let at = 0; at < options.tries; at++) {
      const headers = options.headersOf(hour * options.tries + at);
      const answer = await logIn(server, { password: at < JUDGED ? freshPassword() : password }, headers);
      if (answer.status !== 429) judged++;
      tally.add(JSON.stringify(headers), answer, answer.status < 300 || judged > JUDGED);
    }
    clock.advance(HOUR_MS);
  }
  return tally.outcome;
}

/** Whoever writes the headers himself, before no proxy, a proxy that is not his, and one that adds who he is. */
export async function tryForwarded(): Promise<Outcome[]> {
  const values = forwardedValues(1_040);
  const valueAt = (at: number) => values[at % values.length] ?? "";
  const alone = (at: number) => ({ "x-forwarded-for": valueAt(at) });
  const others = (at: number) => ({
    [OTHER_HEADERS[at % OTHER_HEADERS.length] ?? ""]: `192.0.2.${at % 250}`,
  });
  const behind = (at: number) => ({ "x-forwarded-for": `${valueAt(at)}, 198.51.100.7` });
  const often = { tries: 260, hours: 4 };
  return [
    await guess("forged `X-Forwarded-For`, no proxy trusted", { env: {}, ...often, headersOf: alone }),
    await guess("forged `X-Forwarded-For`, another proxy trusted", {
      env: { TRUSTED_PROXIES: "10.0.0.1,2001:db8::1" },
      ...often,
      headersOf: alone,
    }),
    await guess("forged `X-Forwarded-For` through a trusted proxy", {
      env: PROXY,
      ...often,
      headersOf: behind,
    }),
    await guess("other headers that name an address", { env: {}, tries: 70, hours: 2, headersOf: others }),
    await guess("addresses of one IPv6 network of /64", {
      env: PROXY,
      ...often,
      headersOf: () => ({ "x-forwarded-for": `2001:db8:1:2:${group()}:${group()}:${group()}:${group()}` }),
    }),
  ];
}

/** Passwords at once, to a server of several threads, that a restart interrupts; the owner signs in elsewhere meanwhile. */
export async function tryBursts(): Promise<Outcome[]> {
  const tally = new Tally("bursts of wrong passwords to three threads, over a restart");
  const clock = new FakeClock();
  await using server = await startClaviger({ clock, env: PROXY, workers: 3 });
  const { password } = await firstPerson(server);
  let judged = 0;
  const burst = async (to: TestClaviger) => {
    const from = { "x-forwarded-for": "203.0.113.9" };
    const tries = Array.from({ length: 60 }, () => logIn(to, { password: freshPassword() }, from));
    for (const answer of await Promise.all(tries)) {
      if (answer.status !== 429) judged++;
      tally.add("burst", answer, answer.status < 300 || judged > JUDGED);
    }
    const owner = await logIn(to, { password }, { "x-forwarded-for": "198.51.100.1" });
    if (owner.status !== 200) throw new Error(`the owner is locked out: ${owner.text}`);
  };
  await burst(server);
  await server.app.close();
  clock.advance(HOUR_MS / 2);
  await using again = await startClaviger({ clock, env: PROXY, workers: 3, dataDir: server.dataDir });
  await burst(again);
  return [tally.outcome];
}

/** Whoever comes once there is a password has it checked, or is told to come again where 34 others have theirs checked. */
const LATE_OR_TOO_MANY = ["401 `sign_in_refused`", "429 `rate_limited`"];

/** Fifty at once with what is good once. `gotIn` counts those beyond the first. */
export async function tryFirstSignIns(): Promise<Outcome[]> {
  const initial = freshPassword();
  const env = { ...PROXY, INITIAL_PASSWORD: initial };
  await using withInitial = await startClaviger({ env });
  await using alone = await startClaviger();
  await using reachable = await startClaviger({
    env: PROXY,
    listen: ["0.0.0.0:0"],
    yaml: "settings: { allow_plain_http: true }",
  });
  const code = String(
    Object((await reachable.control({ method: "POST", path: "/api/v1/setup-code" })).json).code,
  );
  const forwarded = (at: number) => ({ "x-forwarded-for": `198.51.100.${at}` });
  return [
    await race("fifty first sign-ins at once by `INITIAL_PASSWORD`", withInitial, initial, forwarded),
    await race("fifty first sign-ins at once by `123456`, from one address", alone, "123456", () => ({})),
    await race("fifty first sign-ins at once by a setup code", reachable, code, forwarded),
  ];
}

async function race(
  attack: string,
  server: TestClaviger,
  password: string,
  headersOf: (at: number) => Record<string, string>,
): Promise<Outcome> {
  const tally = new Tally(attack, LATE_OR_TOO_MANY);
  const tries = Array.from({ length: 50 }, (_, at) => logIn(server, { password }, headersOf(at)));
  const answers = [...(await Promise.all(tries)), await logIn(server, { password }, headersOf(50))];
  const winner = answers.findIndex(({ status }) => status === 200);
  if (winner < 0) throw new Error(`${attack}: nobody won`);
  for (const [at, answer] of answers.entries()) if (at !== winner) tally.add(`try ${at}`, answer);
  return tally.outcome;
}
