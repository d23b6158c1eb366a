import { expect, test, vi } from "vitest";
import * as z from "zod";
import { type Answer, send, startClaviger } from "../claviger.ts";
import { listen } from "../events/listener.ts";
import { FakeTimers } from "../fake-timers.ts";
import { Scraper } from "../metrics/scrape.ts";
import { firstPerson, freshPassword, person } from "../people/person.ts";
import { startUpstream, UPSTREAM_MODEL } from "../upstream.ts";
import { PLENTY, startTight, TIGHT } from "./tight-disk.ts";

vi.setConfig({ testTimeout: 60_000 });

const CALLS = 12;
const WAIT = { timeout: 20_000, interval: 50 };
const ids = z.object({ data: z.array(z.object({ id: z.string(), name: z.string() })) });
const requests = z.object({ data: z.array(z.object({ status: z.number() })) });
const refusals = z.object({ data: z.array(z.object({ action: z.string(), outcome: z.string() })) });

/** Changes that go on; every other route that is not a GET is refused. */
const GO_ON = [
  "DELETE /api/v1/credentials/{name}",
  "DELETE /api/v1/key/recovery",
  "DELETE /api/v1/keys/{id}",
  "DELETE /api/v1/me/second-factor",
  "DELETE /api/v1/me/sessions",
  "DELETE /api/v1/me/sessions/{id}",
  "DELETE /api/v1/nodes/{id}",
  "DELETE /api/v1/providers/{name}",
  "DELETE /api/v1/users/{id}",
  "DELETE /api/v1/users/{id}/second-factor",
  "POST /api/v1/backup",
  "POST /api/v1/cluster/lock",
  "POST /api/v1/config/reload",
  "POST /api/v1/key/lock",
  "POST /api/v1/key/unlock",
  "POST /api/v1/keys/leaked",
  "POST /api/v1/me/reauthenticate",
  "POST /api/v1/providers/{name}/test",
  "POST /api/v1/setup-code",
  "POST /cluster/heartbeat",
  "POST /cluster/leave",
  "POST /cluster/lock",
  "POST /login/password",
  "POST /logout",
  "PUT /api/v1/me/password",
  "PUT /api/v1/users/{id}/password",
];
const UNCHANGING = ["GET", "HEAD", "OPTIONS"];

test("[W5] under 200 MB every change is refused but for those that shut out, let in or make room, whoever asks", async () => {
  await using tight = await startTight();
  const { server, setFree } = tight;
  const admin = await firstPerson(server);
  const changes = server.app
    .routes()
    .flatMap(({ contract, schema, path }) =>
      contract === undefined || contract.family === "gateway" || UNCHANGING.includes(contract.method)
        ? []
        : [{ contract, path, name: `${contract.method} ${contract.path}`, body: schema?.example?.body }],
    );
  const goingOn = changes.filter(({ contract }) => contract.servedOnLowDisk === true);
  expect(goingOn.map(({ name }) => name).sort()).toEqual(GO_ON);
  // Nodes prove themselves over TLS, and join where a cluster is: both are shut before the disk is looked at.
  const isForNodes = ({ contract }: (typeof changes)[number]) => contract.path.startsWith("/cluster/");
  const asked = changes.filter((change) => !isForNodes(change));
  const isRefused = async ({ contract, path, body }: (typeof asked)[number]) => {
    const call = { method: contract.method, path: path.replace(/:\w+/g, "thing"), body };
    const { status, json } = await (contract.action === "self" ? admin.call(call) : server.control(call));
    const refused = z.object({ code: z.literal("storage_full"), detail: z.string() }).safeParse(json);
    return status === 507 && refused.data?.detail.includes("Less than 200 MB are free") === true;
  };
  setFree(TIGHT);
  const last = ["POST /logout", "POST /api/v1/key/lock"];
  const inOrder = asked.toSorted((a, b) => last.indexOf(a.name) - last.indexOf(b.name));
  const wrong: string[] = [];
  for (const change of inOrder)
    if ((await isRefused(change)) === GO_ON.includes(change.name)) wrong.push(change.name);
  expect(wrong).toEqual([]);
  expect(inOrder.length).toBeGreaterThan(35);
});

test("[W5] who may not change anything is not told of the disk, and a refused change is recorded", async () => {
  await using tight = await startTight();
  const { server, setFree } = tight;
  const viewer = await server.issueKey("viewer", ["viewer"]);
  setFree(TIGHT);
  const create = { method: "POST", path: "/api/v1/keys", body: { name: "more", permissions: [] } };
  expect((await server.call(create)).status).toBe(401);
  const headers = { authorization: `Bearer ${viewer.key}` };
  expect((await server.call({ ...create, headers })).status).toBe(403);
  expect((await server.control(create)).status).toBe(507);
  const { json } = await server.control({ path: "/api/v1/audit?action=keys.manage&outcome=failure" });
  expect(refusals.parse(json).data).toEqual([{ action: "keys.manage", outcome: "failure" }]);
});

test("[W5] sign-in, password change, sign-out, revoking, removing, lock and unlock go on", async () => {
  await using tight = await startTight();
  const { server, setFree } = tight;
  const first = await firstPerson(server);
  const leaked = await server.issueKey("leaked");
  await server.addProvider("sim", "http://127.0.0.1:1/v1", "a-credential");
  const key = freshPassword();
  expect(
    (await server.control({ method: "POST", path: "/api/v1/key/initialize", body: { key } })).status,
  ).toBe(200);
  setFree(TIGHT);
  const admin = await person(server, first.password);
  expect((await admin.changePassword(freshPassword())).status).toBe(204);
  expect(await first.status({ path: "/api/v1/me" })).toBe(401);
  expect(await admin.status({ method: "DELETE", path: `/api/v1/keys/${leaked.id}` })).toBe(204);
  expect(await admin.status({ method: "DELETE", path: "/api/v1/providers/sim" })).toBe(204);
  expect(await admin.status({ method: "POST", path: "/api/v1/key/lock" })).toBe(200);
  expect(await admin.status({ path: "/api/v1/keys" })).toBe(503);
  expect(await admin.status({ method: "POST", path: "/api/v1/key/unlock", body: { key } })).toBe(200);
  expect(await admin.status({ path: "/api/v1/keys" })).toBe(200);
  expect(await admin.status({ method: "POST", path: "/logout" })).toBe(204);
  expect(await admin.status({ path: "/api/v1/me" })).toBe(401);
});

test("[W5] the gateway goes on in every thread; its requests are counted, not logged, which is said once", async () => {
  await using upstream = await startUpstream();
  await using tight = await startTight({ workers: 2 });
  const { server, setFree } = tight;
  await server.addProvider("sim", upstream.baseUrl, "a-credential");
  const { key } = await server.issueKey("app", ["gateway"], { requests_per_minute: 2 * CALLS });
  const watcher = await server.issueKey("watcher", ["viewer"]);
  const scraper = new Scraper(server, watcher.key);
  const events = await listen(server, { query: "?types=disk" });
  const statuses = async () => {
    const calls = Array.from({ length: CALLS }, () => chat(server.url, key));
    return [...new Set((await Promise.all(calls)).map(({ status }) => status))];
  };
  const logged = async () => requests.parse((await server.control({ path: "/api/v1/requests" })).json).data;
  setFree(TIGHT);
  expect(await statuses()).toEqual([200]);
  expect(await logged()).toEqual([]);
  const lost = "claviger_request_rows_lost_total";
  const reading = await scraper.until((read) => read.value(lost) === CALLS);
  expect(reading.value("claviger_disk_low")).toBe(1);
  expect(reading.value("claviger_disk_free_bytes")).toBe(TIGHT);
  expect(await disk(server)).toMatchObject({ state: "low", free_bytes: TIGHT, low_bytes: 200_000_000 });
  setFree(TIGHT - 1);
  setFree(PLENTY);
  // What the limits have counted meanwhile counts.
  expect(await statuses()).toEqual([200]);
  expect((await chat(server.url, key)).status).toBe(429);
  await vi.waitFor(async () => expect(await logged()).toHaveLength(CALLS + 1), WAIT);
  expect((await scraper.read()).value(lost)).toBe(CALLS);
  expect((await events.count(2)).map(({ type, data }) => [type, data.free_bytes])).toEqual([
    ["disk.low", TIGHT],
    ["disk.ok", PLENTY],
  ]);
  events.cut();
  expect(server.logged().match(/the disk is almost full/g)).toHaveLength(1);
  expect(server.logged().match(/there is room on the disk again/g)).toHaveLength(1);
});

test("[W5] changes are made again once a tenth more than the bound is free, and not at the bound itself", async () => {
  await using tight = await startTight({ yaml: "settings:\n  disk_low_mb: 50\n" });
  const { server, setFree } = tight;
  const create = (name: string) =>
    server.control({ method: "POST", path: "/api/v1/keys", body: { name, permissions: [] } });
  setFree(50_000_000);
  expect((await create("at-the-bound")).status).toBe(201);
  setFree(49_999_999);
  expect((await create("below")).text).toContain("Less than 50 MB are free");
  setFree(54_999_999);
  expect((await create("soon")).status).toBe(507);
  setFree(55_000_000);
  expect((await create("again")).status).toBe(201);
  const { data } = ids.parse((await server.control({ path: "/api/v1/keys" })).json);
  expect(data.map(({ name }) => name).sort()).toEqual(["again", "at-the-bound"]);
});

test("[W5] a change looks at the disk itself, and does not wait for the next look of the server", async () => {
  let free = PLENTY;
  await using server = await startClaviger({ timers: new FakeTimers(), freeBytes: () => free });
  free = TIGHT;
  const create = { method: "POST", path: "/api/v1/keys", body: { name: "more", permissions: [] } };
  expect((await server.control(create)).status).toBe(507);
});

test("[W1] on a disk that is full refusals wait in memory, and are recorded when there is room", async () => {
  await using tight = await startTight();
  const { server, setFree } = tight;
  const { key } = await server.issueKey("app");
  const headers = { authorization: `Bearer ${key}` };
  const recorded = async () => {
    const { json } = await server.control({ path: "/api/v1/audit?outcome=denied" });
    return refusals.parse(json).data.length;
  };
  setFree(1);
  for (let call = 0; call < 3; call++)
    expect((await server.call({ path: "/api/v1/users", headers })).status).toBe(403);
  expect(await recorded()).toBe(0);
  setFree(PLENTY);
  expect(await recorded()).toBe(3);
});

function chat(url: string, key: string): Promise<Answer> {
  const { hostname: host, port } = new URL(url);
  const body = { model: `sim/${UPSTREAM_MODEL}`, messages: [{ role: "user", content: "hello" }] };
  const headers = { authorization: `Bearer ${key}` };
  return send({ host, port }, { method: "POST", path: "/v1/chat/completions", body, headers });
}

async function disk(server: Awaited<ReturnType<typeof startTight>>["server"]): Promise<unknown> {
  const { json } = await server.control({ path: "/api/v1/status" });
  return z.object({ disk: z.unknown() }).parse(json).disk;
}
