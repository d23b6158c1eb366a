import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { type FileBench, newPair, type Resources, startFileBench } from "#test/reload/file.ts";
import { adminOf, freshKey, keyApi } from "../seal-http/bench.ts";
import { makePair, printOf, shake } from "./tls-bench.ts";

const LISTENERS = { path: "/api/v1/listeners" };
const DAY_MS = 86_400_000;

const listener = (auth: readonly string[] | null, own: object = {}) => ({
  resource_type: "HttpServer",
  listen_addr: "127.0.0.1:0",
  auth,
  ...own,
});

async function shown(claviger: TestClaviger) {
  const answer = await claviger.control(LISTENERS);
  expect(answer.status, answer.text).toBe(200);
  const { data, refused } = Object(answer.json);
  return { rows: data.map(Object), refused, text: answer.text };
}

const statesOf = async (claviger: TestClaviger) =>
  (await shown(claviger)).rows.map(({ name, state }: { name: string; state: string }) => `${name} ${state}`);

/** Reloads with these; the status of the answer. */
async function reloaded(bench: FileBench, resources: Resources): Promise<number> {
  bench.write(resources);
  return (await bench.reload()).status;
}

test("[D2] [I6] the listener of this machine and that of others are shown with where they are, who enters and what is served", async () => {
  await using claviger = await startClaviger({
    listen: ["127.0.0.1:0", "0.0.0.0:0"],
    yaml: "settings: { allow_plain_http: true, allowed_hosts: [box.example] }",
  });
  const { rows, refused } = await shown(claviger);
  const [here = "", everywhere = ""] = claviger.app.urls;
  expect(refused).toBeNull();
  const common = {
    source: "flag",
    state: "listening",
    reason: null,
    serve: ["gateway", "api", "dashboard", "events"],
    allowed_hosts: expect.arrayContaining(["box.example"]),
    allowed_origins: [],
    tls: "off",
    certificates: [],
  };
  expect(rows).toEqual([
    {
      ...common,
      name: "local",
      addresses: [{ configured: "127.0.0.1:0", bound: new URL(here).host }],
      urls: [here],
      loopback_only: true,
      auth: ["users", "keys", "cluster", "anonymous"],
      anonymous_permissions: "gateway",
    },
    {
      ...common,
      name: "network",
      addresses: [{ configured: "0.0.0.0:0", bound: new URL(everywhere).host }],
      urls: expect.any(Array),
      loopback_only: false,
      auth: ["users", "keys", "cluster"],
      anonymous_permissions: null,
    },
  ]);
  // Those of the machine; nobody can go to the address that stands for all of them.
  expect(rows[1].urls.length).toBeGreaterThan(0);
  for (const url of rows[1].urls) {
    expect(new URL(url).port).toBe(new URL(everywhere).port);
    expect(new URL(url).hostname).not.toBe("0.0.0.0");
  }
});

test("[D2] [I5] who enters is told as the file has it, and as REQUIRE_API_KEY leaves it", async () => {
  const till = { resource_type: "Identity", credential: { api_key: newPair().hash }, permissions: [] };
  const resources = {
    till,
    desk: listener(["anonymous", "keys", "till"], { anonymous_permissions: "viewer", serve: ["api"] }),
    open: listener(null, { allowed_origins: ["https://app.example"] }),
  };
  await using claviger = await startClaviger({ listen: [], yaml: JSON.stringify({ resources }) });
  const { rows } = await shown(claviger);
  expect(rows).toMatchObject([
    { name: "desk", source: "file", auth: ["till", "keys", "anonymous"], anonymous_permissions: "viewer" },
    { name: "open", source: "file", auth: null, anonymous_permissions: "gateway" },
  ]);
  expect(rows.map(({ serve }: { serve: string[] }) => serve)).toEqual([["api"], ["gateway", "events"]]);
  expect(rows[1].allowed_origins).toEqual(["https://app.example"]);
  const { desk } = resources;
  const yaml = JSON.stringify({ settings: { require_api_key: true }, resources: { till, desk } });
  await using strict = await startClaviger({ listen: [], yaml });
  expect((await shown(strict)).rows).toMatchObject([{ auth: ["till", "keys"], anonymous_permissions: null }]);
});

test("[D2] [A1] listeners are read by who may change settings, and by nobody while the server is locked", async () => {
  await using claviger = await startClaviger();
  const admin = await adminOf(claviger);
  const { key } = await claviger.issueKey("operator", ["operator"]);
  const statusFor = async (headers: Record<string, string>) =>
    (await claviger.call({ ...LISTENERS, headers })).status;
  expect(await statusFor({ authorization: "Bearer wrong" })).toBe(401);
  expect(await statusFor({ authorization: `Bearer ${key}` })).toBe(403);
  expect(await statusFor(admin)).toBe(200);
  const api = keyApi(claviger, admin);
  expect((await api.initialize(freshKey())).status).toBe(200);
  expect((await api.lock()).status).toBe(200);
  expect([await statusFor(admin), (await claviger.control(LISTENERS)).status]).toEqual([503, 503]);
});

test("[D2] [I13] a reload that adds, changes and takes away listeners shows in the next answer", async () => {
  const main = listener(["keys"]);
  await using bench = await startFileBench(() => ({ main, gone: listener(["keys"]) }));
  const { claviger } = bench;
  expect(await statesOf(claviger)).toEqual(["main listening", "gone listening"]);
  const before = (await shown(claviger)).rows[0];
  const changed = listener(["keys", "users"], { allowed_hosts: ["new.example"] });
  expect(await reloaded(bench, { main: changed, fresh: listener(["keys"]) })).toBe(200);
  const { rows } = await shown(claviger);
  expect(await statesOf(claviger)).toEqual(["main listening", "fresh listening"]);
  expect(rows[0]).toMatchObject({
    auth: ["users", "keys"],
    allowed_hosts: expect.arrayContaining(["new.example"]),
    // It is the same connection as before.
    addresses: before.addresses,
  });
  expect(rows.flatMap(({ urls }: { urls: string[] }) => urls)).toEqual([...claviger.app.urls]);
});

test("[D2] [I13] a listener of the file that cannot be opened is shown with the reason, until it can", async () => {
  const main = listener(["keys"]);
  await using bench = await startFileBench(() => ({ main }));
  const { claviger } = bench;
  await using other = await startClaviger();
  const taken = new URL(other.url).host;
  expect(await reloaded(bench, { main, second: listener(["keys"], { listen_addr: taken }) })).toBe(422);
  const { rows, refused } = await shown(claviger);
  expect(await statesOf(claviger)).toEqual(["main listening", "second not_listening"]);
  const reason = expect.stringMatching(`cannot listen on ${taken}: The address is in use`);
  expect(refused).toEqual(reason);
  expect(rows[1]).toMatchObject({ reason, addresses: [{ configured: taken, bound: null }], urls: [] });
  expect(await reloaded(bench, { main: { ...main, auth: ["nobody"] } })).toBe(422);
  expect((await shown(claviger)).refused).toMatch(/^given\.yaml:\d+:\d+: .*nobody/);
  expect(await statesOf(claviger)).toEqual(["main listening"]);
  expect(await reloaded(bench, { main })).toBe(200);
  expect((await shown(claviger)).refused).toBeNull();
});

test("[D2] a Unix socket is shown by its path; once its file is gone, nobody reaches it, and that is said", async () => {
  await using bench = await startFileBench(() => ({ main: listener(["keys"]) }));
  const { claviger } = bench;
  const socket = join(claviger.dataDir, "some.sock");
  const program = listener(["keys"], { listen_addr: `unix:${socket}` });
  expect(await reloaded(bench, { main: listener(["keys"]), program })).toBe(200);
  const where = { configured: `unix:${socket}`, bound: `unix:${socket}` };
  expect((await shown(claviger)).rows[1]).toMatchObject({
    ...{ state: "listening", addresses: [where], urls: [], loopback_only: true },
  });
  rmSync(socket);
  expect((await shown(claviger)).rows[1]).toMatchObject({
    state: "not_listening",
    reason: `the socket ${socket} was removed, and nobody reaches the server there; restart it`,
    addresses: [{ ...where, bound: null }],
  });
});

test("[D2] [N13] of a certificate made here is shown what a client sees of it, and how many days it has left", async () => {
  const clock = new FakeClock(Date.now());
  const yaml = JSON.stringify({ resources: { main: listener(["keys"], { tls: "auto" }) } });
  await using claviger = await startClaviger({ listen: [], yaml, clock });
  const socket = await shake(claviger.app.urls[0] ?? "");
  const seen = socket.getPeerX509Certificate();
  socket.destroy();
  const certificateNow = async () => (await shown(claviger)).rows[0].certificates[0];
  const { rows } = await shown(claviger);
  expect(rows[0]).toMatchObject({ tls: "auto", urls: [claviger.app.urls[0]] });
  const certificate = await certificateNow();
  expect(certificate).toEqual({
    subject: seen?.subject,
    names: expect.arrayContaining(["localhost"]),
    addresses: expect.arrayContaining(["127.0.0.1"]),
    fingerprint: seen?.fingerprint256,
    not_before: new Date(seen?.validFrom ?? "").toISOString(),
    not_after: new Date(seen?.validTo ?? "").toISOString(),
    days_left: 396,
    self_signed: true,
  });
  for (const name of certificate.names) expect(seen?.checkHost(name), name).toBe(name);
  clock.advance(390 * DAY_MS);
  expect((await certificateNow()).days_left).toBe(6);
  clock.advance(8 * DAY_MS);
  expect((await certificateNow()).days_left).toBe(-2);
});

test("[D2] [N13] of certificates of one's own every one is shown, and of their keys not even where they lie", async () => {
  await using bench = await startFileBench(() => ({ main: listener(["keys"]) }));
  const { claviger } = bench;
  const one = await makePair(join(claviger.dataDir, "one"), "one.example");
  const two = await makePair(join(claviger.dataDir, "two"), "two.example");
  const own = (...tls: object[]) => ({ main: listener(["keys"]), own: listener(["keys"], { tls }) });
  expect(await reloaded(bench, own(one, two))).toBe(200);
  const { rows, text } = await shown(claviger);
  expect(rows[1]).toMatchObject({
    tls: "files",
    certificates: [
      { names: ["one.example"], fingerprint: printOf(one.cert) },
      { names: ["two.example"], fingerprint: printOf(two.cert) },
    ],
  });
  expect(text).not.toContain(claviger.dataDir);
  // Nor where what is wrong with one is told.
  expect(await reloaded(bench, own({ cert: one.cert, key: two.key }))).toBe(422);
  const refused = await shown(claviger);
  expect(refused.refused).toBe("the key in claviger.key is not that of the certificate in claviger.crt");
  expect(refused.text).not.toContain(claviger.dataDir);
});
