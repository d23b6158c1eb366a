import { setTimeout as pause } from "node:timers/promises";
import * as z from "zod";
import { type Answer, type Call, startClaviger, type TestClaviger } from "#test/claviger.ts";
import { joinBy, newPin, openToMembers } from "#test/cluster/member.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { freshPassword } from "#test/people/person.ts";
import { freshKey } from "#test/seal-http/bench.ts";
import { startUpstream, UPSTREAM_MODEL } from "#test/upstream.ts";
import { DASHBOARD, settledAdmin } from "./browser.ts";
import { seededFile } from "./seeded-file.ts";

/** A server as it looks after some days of use. */
export interface SeededServer extends AsyncDisposable {
  readonly claviger: TestClaviger;
  readonly admin: { readonly username: string; readonly password: string };
  /** Somebody who has to set a password of his own first. */
  readonly newcomer: { readonly username: string; readonly password: string };
  /** What stands in the place of each parameter of a page's path. */
  readonly parameters: Readonly<Record<string, string>>;
}

const DAYS = 12;
const AN_HOUR_MS = 60 * 60 * 1000;
const A_DAY_MS = 24 * AN_HOUR_MS;
/** The last one refuses most of what it is asked for. */
const PROVIDERS = ["openai", "gpu-box", "openrouter", "flaky-lab"];
const FAILING = "flaky-lab";
const LONG_NAME = "quarterly-forecasts-of-the-northern-warehouses-and-their-harbours";
const KEYS: readonly {
  name: string;
  limits: Record<string, number>;
  share: number;
  endsAfterDays?: number;
}[] = [
  { name: "support-chat", limits: { requests_per_minute: 120, spend_usd_per_month: 40 }, share: 5 },
  { name: "nightly-report", limits: { tokens_per_day: 400_000 }, share: 3 },
  { name: "ide-maria", limits: {}, share: 4, endsAfterDays: DAYS + 2 },
  { name: "shop-till-07", limits: { concurrency: 2, requests_per_minute: 20 }, share: 1 },
  { name: "trade-fair", limits: {}, share: 0, endsAfterDays: 5 },
  {
    name: LONG_NAME.slice(0, 63),
    limits: {
      requests_per_minute: 1_000_000,
      tokens_per_minute: 90_000_000,
      tokens_per_day: 900_000_000,
      spend_usd_per_month: 250_000,
      concurrency: 10_000,
    },
    share: 2,
  },
];
const USERS = [
  { username: "maria", permissions: ["operator"] },
  { username: "jonas", permissions: ["viewer"] },
  {
    username: "maximiliane.von-hohenberg-schwarzenfels",
    permissions: ["operator", "gateway", "night-shift"],
  },
];
const NEWCOMER = "newcomer";
/** Starts it and fills it over its own API: providers, keys, users, requests over the last days, a cluster, a server key. */
export async function startSeededServer(): Promise<SeededServer> {
  await using stack = new AsyncDisposableStack();
  const clock = new FakeClock(Date.now() - AN_HOUR_MS - DAYS * A_DAY_MS);
  const yaml = JSON.stringify(seededFile(PROVIDERS.slice(0, 2)));
  const claviger = stack.use(await startClaviger({ clock, listen: [], dashboardDir: DASHBOARD, yaml }));
  // Before there are other users: then nobody signs in as the first any more.
  const admin = await settledAdmin(claviger);
  stack.use(await addProviders(claviger));
  const newcomer = await addUsers(claviger);
  const keys = await issueKeys(claviger, clock);
  await useKeys(claviger, { keys, clock });
  const revoked = await claviger.issueKey("old-laptop");
  expectDone(await claviger.control({ method: "DELETE", path: `/api/v1/keys/${revoked.id}` }));
  await formCluster(claviger, clock);
  expectDone(await claviger.control(post("/api/v1/key/initialize", { key: freshKey(), recovery: true })));
  const owned = stack.move();
  return {
    ...{ claviger, admin, newcomer },
    parameters: { name: PROVIDERS[0] ?? "", id: keys[0]?.id ?? "" },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** One to which nothing was done but that its first user signed in. */
export async function startEmptyServer(): Promise<Omit<SeededServer, "newcomer">> {
  const claviger = await startClaviger({ dashboardDir: DASHBOARD });
  const admin = await settledAdmin(claviger);
  return { claviger, admin, parameters: {}, [Symbol.asyncDispose]: () => claviger[Symbol.asyncDispose]() };
}

async function addProviders(claviger: TestClaviger): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const [upstream, failing] = [stack.use(await startUpstream()), stack.use(await startUpstream())];
  failing.behaveBy(({ body }) => ({ kind: "error", status: body.length % 2 === 0 ? 500 : 429 }));
  for (const provider of PROVIDERS) {
    const { baseUrl } = provider === FAILING ? failing : upstream;
    await claviger.addProvider(provider, baseUrl, `credential-of-${provider}-0001`);
  }
  return stack.move();
}

async function addUsers(claviger: TestClaviger): Promise<SeededServer["newcomer"]> {
  const add = async (body: object) => {
    const password = freshPassword();
    expectDone(await claviger.control(post("/api/v1/users", { ...body, password })));
    return password;
  };
  for (const user of USERS) await add(user);
  const body = { username: NEWCOMER, permissions: ["viewer"], must_change_password: true };
  return { username: NEWCOMER, password: await add(body) };
}

interface SeededKey {
  readonly id: string;
  readonly key: string;
  readonly share: number;
}

async function issueKeys(claviger: TestClaviger, clock: FakeClock): Promise<SeededKey[]> {
  const keys: SeededKey[] = [];
  for (const { name, limits, share, endsAfterDays } of KEYS) {
    const { id, key } = await claviger.issueKey(name, ["gateway"], limits);
    keys.push({ id, key, share });
    if (endsAfterDays === undefined) continue;
    const body = { expires_at: new Date(clock.now() + endsAfterDays * A_DAY_MS).toISOString() };
    expectDone(await claviger.control({ method: "PATCH", path: `/api/v1/keys/${id}`, body }));
  }
  return keys;
}

async function useKeys(
  claviger: TestClaviger,
  { keys, clock }: { readonly keys: readonly SeededKey[]; readonly clock: FakeClock },
): Promise<void> {
  for (let day = 0; day <= DAYS; day++) {
    for (const { key, share } of keys)
      for (let count = 0; count < share + ((day * share) % 4); count++) {
        const provider = PROVIDERS[(day + count) % PROVIDERS.length] ?? "";
        const answer = await claviger.call(chat(key, provider));
        if (provider !== FAILING) expectDone(answer);
      }
    if (day < DAYS) clock.advance(A_DAY_MS);
  }
}

/** A cluster of two, the other of which is down. */
async function formCluster(claviger: TestClaviger, clock: FakeClock): Promise<void> {
  const pin = newPin();
  const url = await openToMembers(claviger);
  expectDone(await claviger.control(post("/api/v1/cluster/init", { pin })));
  const other = await startClaviger({ clock });
  await using _other = other;
  await openToMembers(other);
  expectDone(await joinBy(other, url, pin));
  await statesCome(claviger, ["up", "up"]);
  await other.app.close();
  await statesCome(claviger, ["down", "up"]);
}

const nodes = z.object({ data: z.array(z.object({ state: z.string() })) });

async function statesCome(claviger: TestClaviger, wanted: readonly string[]): Promise<void> {
  for (;;) {
    const { json } = await claviger.control({ path: "/api/v1/nodes" });
    const states = nodes.parse(json).data.map(({ state }) => state);
    if (states.toSorted().join() === wanted.join()) return;
    await pause(50);
  }
}

function chat(key: string, provider: string): Call {
  const messages = [{ role: "user", content: "Summarise what sold today, in three lines." }];
  const body = { model: `${provider}/${UPSTREAM_MODEL}`, messages };
  return { ...post("/v1/chat/completions", body), headers: { authorization: `Bearer ${key}` } };
}

function post(path: string, body: object): Call {
  return { method: "POST", path, body };
}

function expectDone({ status, text }: Answer): void {
  if (status >= 300) throw new Error(`the seeding was answered ${status}: ${text}`);
}
