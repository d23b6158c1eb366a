import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { filesUnder } from "#test/canary/canaries.ts";
import { startClaviger } from "#test/claviger.ts";
import { until } from "./bench.ts";
import { declared, freshValue, presentedTo, startDeclaredBench } from "./declared-bench.ts";

const PATH = "/api/v1/credentials";

test("[I16] a secret is set, listed by name and hint, replaced and removed over the API, which takes no more and repeats nothing; each change is audited", async () => {
  await using bench = await startDeclaredBench();
  const call = (method: string, path: string, body?: unknown) =>
    bench.claviger.control({ method, path: `${PATH}${path}`, body });
  const value = freshValue();
  const wrong: unknown[] = [
    {},
    { value: "" },
    { value: `${value} x` },
    { value: `${value}\n` },
    { value: value.repeat(300) },
    { value, more: 1 },
    { value: [value] },
    value,
  ];
  for (const body of wrong) {
    const refused = await call("PUT", "/main", body);
    expect(refused.status, JSON.stringify(body)).toBe(400);
    expect(refused.text).not.toContain(value);
  }
  expect((await call("PUT", "/-main", { value })).status).toBe(400);
  expect((await call("GET", "")).json).toEqual({ data: [], next_cursor: null });
  for (const name of ["main", "beta", "main", "alpha"]) {
    const answer = await call("PUT", `/${name}`, { value: name === "beta" ? "short" : value });
    expect([answer.status, answer.text]).toEqual([204, ""]);
  }
  const row = (name: string, hint = value.slice(-4)) => ({ name, set: true, hint, used_by: [] });
  const all = [row("alpha"), row("beta", ""), row("main")];
  expect((await call("GET", "")).json).toEqual({ data: all, next_cursor: null });
  expect((await call("GET", "?limit=2")).json).toEqual({ data: all.slice(0, 2), next_cursor: "beta" });
  expect((await call("GET", "?limit=2&cursor=beta")).json).toEqual({
    data: [row("main")],
    next_cursor: null,
  });
  expect((await call("DELETE", "/main")).status).toBe(204);
  expect((await call("DELETE", "/main")).status).toBe(404);
  const audited = await bench.claviger.control({ path: "/api/v1/audit?limit=100" });
  const entry = (action: string, target: string) =>
    expect.objectContaining({ action, target, actor: "local" });
  const set = ["main", "beta", "main", "alpha"].map((name) => entry("credential.set", name));
  const expected = [...set, entry("credential.remove", "main")].reverse();
  expect(changesIn(audited.json)).toEqual(expected);
  expect(audited.text).not.toContain(value);
});

function changesIn(json: unknown): unknown[] {
  const data = typeof json === "object" && json !== null && "data" in json ? json.data : [];
  return Array.isArray(data) ? data.filter(({ action }) => String(action).startsWith("credential.")) : [];
}

test("[I16] [I15] a key that may not manage providers neither sets nor sees a secret, and who presents none is 401", async () => {
  await using bench = await startDeclaredBench();
  await bench.setSecret("main", freshValue());
  const lesser = { authorization: `Bearer ${bench.key}` };
  const calls = [
    { method: "PUT", path: `${PATH}/main`, body: { value: freshValue() } },
    { method: "DELETE", path: `${PATH}/main` },
    { method: "GET", path: PATH },
  ];
  for (const call of calls) {
    expect((await bench.claviger.call({ ...call, headers: lesser })).status).toBe(403);
    expect((await bench.claviger.call({ ...call, headers: { authorization: "Bearer no" } })).status).toBe(
      401,
    );
  }
  const { key } = await bench.claviger.issueKey("op", ["operator"]);
  const held = await bench.claviger.call({ path: PATH, headers: { authorization: `Bearer ${key}` } });
  expect(held.json).toMatchObject({ data: [{ name: "main" }] });
});

test("[S12] a sealed secret that was damaged, or moved to the row of another, is an error and goes nowhere", async () => {
  await using bench = await startDeclaredBench();
  const { dataDir, app } = bench.claviger;
  const base_url = bench.upstream.baseUrl;
  const list = ["one", "two"].map((secret) => declared(secret, { base_url, credential: { secret } }));
  await app.declareProviders(list);
  for (const name of ["one", "two"]) await bench.setSecret(name, freshValue());
  await app.close();
  const store = new DatabaseSync(join(dataDir, "db", "data.sqlite"), { timeout: 5000 });
  store.exec(`UPDATE named_credential SET sealed = (
    SELECT sealed FROM named_credential WHERE name = 'two') WHERE name = 'one'`);
  const two = store.prepare("SELECT sealed FROM named_credential WHERE name = 'two'").get()?.sealed;
  const damaged = two instanceof Uint8Array ? Buffer.from(two) : Buffer.alloc(0);
  damaged.writeUInt8((damaged.at(-20) ?? 0) ^ 1, damaged.length - 20);
  store.prepare("UPDATE named_credential SET sealed = ? WHERE name = 'two'").run(damaged);
  store.close();
  await using again = await startClaviger({ dataDir });
  await again.app.declareProviders(list);
  const { key } = await again.issueKey("later");
  for (const name of ["one", "two"]) {
    const body = { model: `${name}/sim-1`, input: "x" };
    const headers = { authorization: `Bearer ${key}` };
    const answer = await again.call({ method: "POST", path: "/v1/embeddings", headers, body });
    expect([answer.status, answer.json]).toMatchObject([500, { error: { code: "internal" } }]);
  }
  expect(bench.upstream.requests).toEqual([]);
  await until(() => again.logged().includes("the sealed value at named_credential.sealed of"));
});

test("[S9] [I16] while the server is locked none of the three kinds is used, nor can a secret be set", async () => {
  const ofEnv = freshValue();
  await using bench = await startDeclaredBench({ env: { LAB_KEY: ofEnv } });
  const file = join(bench.directory, "key");
  writeFileSync(file, freshValue(), { mode: 0o600 });
  const base_url = bench.upstream.baseUrl;
  const sources = [{ secret: "main" }, { env: "LAB_KEY" }, { file }];
  const names = sources.map((source) => Object.keys(source).join());
  await bench.setSecret("main", freshValue());
  await bench.claviger.app.declareProviders(
    sources.map((credential, index) => declared(names[index] ?? "", { base_url, credential })),
  );
  for (const name of names) expect(await bench.ask(name)).toEqual([200, undefined]);
  void bench.claviger.app.seal.close();
  for (const name of names) expect(await bench.ask(name)).toEqual([503, "server_locked"]);
  expect(await bench.setSecret("main", freshValue())).toBe(503);
  expect(bench.upstream.requests).toHaveLength(3);
});

test("[I16] [G3] no value of the three kinds is in the log, an answer, or a file of the server", async () => {
  const [stored, ofEnv, ofFile] = [freshValue(), freshValue(), freshValue()];
  await using bench = await startDeclaredBench({ env: { LAB_KEY: ofEnv, LOG_LEVEL: "trace" } });
  const { claviger, upstream } = bench;
  const file = join(bench.directory, "key");
  writeFileSync(file, ofFile, { mode: 0o600 });
  const base_url = upstream.baseUrl;
  await bench.setSecret("main", stored);
  await claviger.app.declareProviders([
    declared("a", { base_url, credential: { secret: "main" } }),
    declared("b", { base_url, credential: { env: "LAB_KEY" } }),
    declared("c", { base_url, credential: { file } }),
  ]);
  const texts: string[] = [];
  for (const kind of ["ok", "echo-credential"] as const) {
    upstream.behave({ kind });
    for (const name of ["a", "b", "c"]) {
      const headers = { authorization: `Bearer ${bench.key}` };
      const body = { model: `${name}/sim-1`, input: "x" };
      texts.push((await claviger.call({ method: "POST", path: "/v1/embeddings", headers, body })).text);
      const path = `/api/v1/providers/${name}`;
      texts.push((await claviger.control({ method: "POST", path: `${path}/test` })).text);
      texts.push((await claviger.control({ path })).text);
    }
  }
  for (const path of ["/api/v1/providers", PATH, "/api/v1/audit", "/metrics", "/api/v1/requests"])
    texts.push((await claviger.control({ path })).text);
  await claviger.app.close();
  expect(presentedTo(upstream)).toEqual([stored, ofEnv, ofFile, stored, ofEnv, ofFile]);
  const places = [...texts, claviger.logged(), ...filesUnder(claviger.dataDir).map(([, bytes]) => bytes)];
  expect(places.length).toBeGreaterThan(20);
  for (const value of [stored, ofEnv, ofFile])
    expect(places.filter((place) => place.includes(value))).toEqual([]);
});
