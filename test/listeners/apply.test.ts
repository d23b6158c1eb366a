import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { startClaviger } from "#test/claviger.ts";
import { refusesConnections } from "#test/start/refused-connections.ts";
import { startUpstream, UPSTREAM_MODEL } from "#test/upstream.ts";
import { holdConnections, textOf } from "#test/workers/held-connections.ts";
import { addListeners, ask, bearer, entryOf, listenerSpec, open } from "./bench.ts";

vi.setConfig({ testTimeout: 60_000 });

const LOCAL = { entry: entryOf({ anonymous: { permissionSet: "gateway", from: "local" } }) };
const shut = { entry: entryOf({ keys: false }) };

test.each([
  1, 3,
])("[I13] with %d threads a changed policy holds in each of them on the next request, over the same connection", async (workers) => {
  await using claviger = await startClaviger({ workers });
  const { listeners } = claviger.app;
  const [local] = listeners.specs;
  if (local === undefined) throw new Error("no listener");
  using held = await holdConnections(claviger, workers);
  const statuses = async () =>
    (await Promise.all(held.byThread.map((one) => one.ask({ path: "/v1/models" })))).map(
      ({ status }) => status,
    );
  const all = (status: number) => Array.from({ length: workers }, () => status);
  expect(await statuses()).toEqual(all(200));
  await listeners.apply([{ ...local, ...shut }]);
  expect(await statuses()).toEqual(all(401));
  await listeners.apply([{ ...local, serves: new Set(["api"]), ...LOCAL }]);
  expect(await statuses()).toEqual(all(404));
  await listeners.apply([local]);
  expect(await statuses()).toEqual(all(200));
});

test.each([
  1, 3,
])("[I13] with %d threads a stream goes on untouched while listeners are added, changed and removed; a removed one ends its own", async (workers) => {
  await using upstream = await startUpstream();
  await using claviger = await startClaviger({ workers });
  await claviger.addProvider("sim", upstream.baseUrl);
  const { key } = await claviger.issueKey("app");
  const { listeners } = claviger.app;
  const [first = ""] = await addListeners(claviger, listenerSpec("first"));
  const before = listeners.specs;
  const released = Promise.withResolvers<void>();
  upstream.behave({ kind: "stall", after: 200, until: released.promise });
  const body = JSON.stringify({
    model: `sim/${UPSTREAM_MODEL}`,
    stream: true,
    messages: [{ role: "user", content: "x" }],
  });
  const headers = { ...bearer(key), "content-type": "application/json" };
  const chat = { path: "/v1/chat/completions", method: "POST", headers, body };
  const streams = [await open(claviger.url, chat), await open(first, chat)];
  const [second = ""] = await addListeners(claviger, listenerSpec("second"));
  expect((await ask(second, { path: "/v1/models", headers })).status).toBe(200);
  await listeners.apply([...before, listenerSpec("second", shut)]);
  expect((await ask(second, { path: "/v1/models", headers })).status).toBe(401);
  await listeners.apply(before.filter(({ name }) => name !== "first"));
  await refusesConnections(second);
  await refusesConnections(first);
  released.resolve();
  for (const text of await Promise.all(streams.map(textOf))) expect(text).toContain("[DONE]");
  expect((await ask(claviger.url, { path: "/v1/models", headers })).status).toBe(200);
});

test.each([
  1, 2,
])("[I13] with %d threads nothing changes when one of them cannot be opened", async (workers) => {
  await using claviger = await startClaviger({ workers });
  const taken = createServer();
  await once(taken.listen(0, "127.0.0.1"), "listening");
  const address = taken.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const { listeners } = claviger.app;
  const { urls } = claviger.app;
  const before = listeners.specs;
  const wanted = [
    ...before.map((spec) => ({ ...spec, ...shut })),
    listenerSpec("fine"),
    listenerSpec("taken", { targets: [{ host: "127.0.0.1", port }] }),
  ];
  await expect(listeners.apply(wanted)).rejects.toThrow(new RegExp(`cannot listen on 127.0.0.1:${port}`));
  expect(claviger.app.urls).toEqual(urls);
  expect(listeners.specs).toBe(before);
  expect((await claviger.call({ path: "/v1/models" })).status).toBe(200);
  await new Promise((resolve) => taken.close(resolve));
  await listeners.apply(wanted);
  expect((await ask(`http://127.0.0.1:${port}`, { path: "/v1/models" })).status).toBe(401);
  const moved = listenerSpec("taken", { targets: [{ host: "0.0.0.0", port }], allowPlainHttp: true });
  await listeners.apply([...before, moved]);
  expect(claviger.app.urls.at(-1)).toBe(`http://0.0.0.0:${port}`);
  expect((await ask(`http://127.0.0.1:${port}`, { path: "/v1/models" })).status).toBe(401);
  await expect(listeners.apply([...before, moved, { ...moved, name: "again" }])).rejects.toThrow(
    /two listeners/,
  );
});

test("a Unix socket is 0600 unless said, takes the place of a dead one, and never that of a living one or a file", async () => {
  await using claviger = await startClaviger({ workers: 2 });
  const { key } = await claviger.issueKey("app");
  const path = join(claviger.dataDir, "own.sock");
  const spec = (socketPath: string, mode?: number) =>
    listenerSpec("socket", { targets: [mode === undefined ? { socketPath } : { socketPath, mode }] });
  const { listeners } = claviger.app;
  const before = listeners.specs;
  await addListeners(claviger, spec(path));
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const models = (headers = {}) => ask("http://localhost", { path: "/v1/models", socketPath: path, headers });
  expect((await models()).status).toBe(401);
  expect((await models(bearer(key))).status).toBe(200);
  expect(claviger.logged()).toContain('"address":"unix"');
  await listeners.apply(before);
  expect(existsSync(path)).toBe(false);
  const living = createServer();
  await once(living.listen(path), "listening");
  await expect(addListeners(claviger, spec(path))).rejects.toThrow(/a running server answers there/);
  await new Promise((resolve) => living.close(resolve));
  await leaveDeadSocket(path);
  await addListeners(claviger, spec(path, 0o660));
  expect(statSync(path).mode & 0o777).toBe(0o660);
  const file = join(claviger.dataDir, "file");
  writeFileSync(file, "");
  await expect(addListeners(claviger, { ...spec(file), name: "file" })).rejects.toThrow(/is not a socket/);
});

test.each([
  1, 2,
])("with %d threads a listener has any number of addresses, of IPv6 too, and each has its policy", async (workers) => {
  await using claviger = await startClaviger({ workers });
  const { key } = await claviger.issueKey("app");
  const targets = [
    { host: "127.0.0.1", port: 0 },
    { host: "::1", port: 0 },
  ];
  const added = await addListeners(claviger, listenerSpec("both", { targets }));
  expect(added.map((url) => new URL(url).hostname)).toEqual(["127.0.0.1", "[::1]"]);
  for (const url of added) {
    expect((await ask(url, { path: "/v1/models", headers: bearer(key) })).status).toBe(200);
    expect((await ask(url, { path: "/v1/models" })).status).toBe(401);
  }
});

test("an address changes from plain HTTP to TLS and back, and what cannot be is undone", async () => {
  await using claviger = await startClaviger({ workers: 2 });
  const { key } = await claviger.issueKey("app");
  const { listeners } = claviger.app;
  const before = listeners.specs;
  const [free = ""] = await addListeners(claviger, listenerSpec("free"));
  await listeners.apply(before);
  const targets = [{ host: "127.0.0.1", port: Number(new URL(free).port) }];
  const plain = listenerSpec("own", { targets });
  const secure = { ...plain, tls: { kind: "auto" } } as const;
  const taken = listenerSpec("taken", {
    targets: [{ host: "127.0.0.1", port: Number(new URL(claviger.url).port) }],
  });
  const status = async () => {
    const url = claviger.app.urls.at(-1) ?? "";
    const { status: answered } = await ask(url, {
      path: "/v1/models",
      headers: bearer(key),
      rejectUnauthorized: false,
    });
    return `${new URL(url).protocol} ${answered}`;
  };
  await listeners.apply([...before, plain]);
  expect(await status()).toBe("http: 200");
  await expect(listeners.apply([...before, secure, taken])).rejects.toThrow(/cannot listen on|in use/);
  expect(await status()).toBe("http: 200");
  await listeners.apply([...before, secure]);
  expect(await status()).toBe("https: 200");
  await listeners.apply([...before, plain]);
  expect(await status()).toBe("http: 200");
});

/** As a server leaves it that is killed. */
async function leaveDeadSocket(path: string): Promise<void> {
  const program = `require("node:net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
  try {
    execFileSync(process.execPath, ["-e", program], { stdio: "ignore" });
  } catch {
    // Killed, as it was to be.
  }
  const probe = connect(path);
  const [error] = await once(probe, "error");
  expect(error).toMatchObject({ code: "ECONNREFUSED" });
}
