import { type Answer, type Call, startClaviger, type TestClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { newPair } from "#test/reload/file.ts";
import { startUpstream, UPSTREAM_MODEL } from "#test/upstream.ts";
import { DASHBOARD, settledAdmin } from "#test/web/browser.ts";

/** A server as it looks after some days of use. */
export interface SeededServer extends AsyncDisposable {
  readonly claviger: TestClaviger;
  readonly admin: { readonly username: string; readonly password: string };
  /** What stands in the place of each parameter of a page's path. */
  readonly parameters: Readonly<Record<string, string>>;
}

const DAYS = 12;
const AN_HOUR_MS = 60 * 60 * 1000;
const A_DAY_MS = 24 * AN_HOUR_MS;
const PROVIDERS = ["openai", "gpu-box", "openrouter"];
const KEYS = [
  { name: "support-chat", limits: { requests_per_minute: 120, spend_usd_per_month: 40 }, share: 5 },
  { name: "nightly-report", limits: { tokens_per_day: 400_000 }, share: 3 },
  { name: "ide-maria", limits: {}, share: 4 },
  { name: "shop-till-07", limits: { concurrency: 2, requests_per_minute: 20 }, share: 1 },
];
const USERS = [
  { username: "maria", permissions: ["operator"] },
  { username: "jonas", permissions: ["viewer"] },
];
/** What its file declares. */
const RESOURCES = {
  desk: {
    resource_type: "HttpServer",
    listen_addr: "127.0.0.1:0",
    auth: ["users", "keys", "cluster", "anonymous"],
  },
  harbour: {
    resource_type: "HttpServer",
    listen_addr: ["127.0.0.1:0", "[::1]:0"],
    tls: "auto",
    auth: ["till-at-the-harbour", "keys"],
    serve: ["gateway"],
    allowed_hosts: ["claviger.harbour.example"],
  },
  "night-shift": {
    resource_type: "PermissionSet",
    allow: ["gateway.use:openai/*", "models.read", "usage.read"],
    deny: ["gateway.use:openai/o1*"],
  },
  "till-at-the-harbour": {
    resource_type: "Identity",
    credential: { api_key: newPair().hash },
    permissions: ["gateway", "night-shift"],
    limits: { requests_per_minute: 60, tokens_per_day: 250_000 },
    allowed_ips: ["10.20.0.0/16"],
    expires_at: "2099-01-31T00:00:00Z",
  },
};
const USER_PASSWORD = "three small boats at noon";

/** Starts it and fills it over its own API: providers, keys, users, and requests over the last days. */
export async function startSeededServer(): Promise<SeededServer> {
  await using stack = new AsyncDisposableStack();
  const upstream = stack.use(await startUpstream());
  const yaml = JSON.stringify({ resources: RESOURCES });
  const clock = new FakeClock(Date.now() - AN_HOUR_MS - DAYS * A_DAY_MS);
  const claviger = stack.use(await startClaviger({ clock, listen: [], dashboardDir: DASHBOARD, yaml }));
  // Before there are other users: then nobody signs in as the first any more.
  const admin = await settledAdmin(claviger);
  for (const provider of PROVIDERS)
    await claviger.addProvider(provider, upstream.baseUrl, `credential-of-${provider}-0001`);
  const keys: { id: string; key: string; share: number }[] = [];
  for (const { name, limits, share } of KEYS)
    keys.push({ ...(await claviger.issueKey(name, ["gateway"], limits)), share });
  for (const user of USERS)
    expectDone(await claviger.control(post("/api/v1/users", { ...user, password: USER_PASSWORD })));
  for (let day = 0; day <= DAYS; day++) {
    for (const { key, share } of keys)
      for (let count = 0; count < share + ((day * share) % 4); count++) {
        const provider = PROVIDERS[(day + count) % PROVIDERS.length] ?? "";
        expectDone(await claviger.call(chat(key, provider)));
      }
    if (day < DAYS) clock.advance(A_DAY_MS);
  }
  const revoked = await claviger.issueKey("old-laptop");
  expectDone(await claviger.control({ method: "DELETE", path: `/api/v1/keys/${revoked.id}` }));
  const owned = stack.move();
  return {
    claviger,
    admin,
    parameters: { name: PROVIDERS[0] ?? "", id: keys[0]?.id ?? "" },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
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
