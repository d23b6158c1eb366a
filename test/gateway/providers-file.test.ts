import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import * as z from "zod";
import { startClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { OFFLINE } from "#test/offline.ts";
import { startUpstream } from "#test/upstream.ts";
import {
  type DeclaredBench,
  declared,
  freshValue,
  presentedTo,
  startDeclaredBench,
} from "./declared-bench.ts";
import { holdAll } from "./declared-threads.ts";

const PATH = "/api/v1/providers";
const NOWHERE = "http://127.0.0.1:9/v1";
const rows = z.object({ data: z.array(z.object({ name: z.string(), id: z.string(), source: z.string() })) });
const listOf = async ({ claviger }: Pick<DeclaredBench, "claviger">) =>
  rows.parse((await claviger.control({ path: PATH })).json).data;
const testOf = ({ claviger }: DeclaredBench, name: string) =>
  claviger.control({ method: "POST", path: `${PATH}/${name}/test` });

test("[I16] a credential of the store, of the environment and of a file is used, each for its provider", async () => {
  const [stored, ofEnv, ofFile] = [freshValue(), freshValue(), freshValue()];
  await using bench = await startDeclaredBench({ env: { LAB_KEY: ofEnv } });
  const file = join(bench.directory, "key");
  writeFileSync(file, `${ofFile}\n`, { mode: 0o600 });
  const base_url = bench.upstream.baseUrl;
  expect(await bench.setSecret("main", stored)).toBe(204);
  await bench.claviger.app.declareProviders([
    declared("a", { base_url, credential: { secret: "main" } }),
    declared("b", { base_url, credentials: [{ env: "LAB_KEY" }] }),
    declared("c", { base_url, credential: { file } }),
    declared("d", { base_url }),
  ]);
  for (const name of ["a", "b", "c", "d"]) expect(await bench.ask(name)).toEqual([200, undefined]);
  expect(presentedTo(bench.upstream)).toEqual([stored, ofEnv, ofFile, undefined]);
  const hints = [stored, ofEnv, ofFile].map((value) => value.slice(-4));
  const shown = await bench.claviger.control({ path: PATH });
  expect(shown.json).toMatchObject({
    data: [...hints.map((hint) => ({ credentials: [{ hint }] })), { credentials: [] }],
  });
});

test("[I16] [H2] what the file declares is shown as such, first and in its order, and is read-only in the API", async () => {
  await using bench = await startDeclaredBench();
  await bench.claviger.addProvider("stored", bench.upstream.baseUrl);
  const base_url = bench.upstream.baseUrl;
  const two = [declared("z", { base_url }), declared("a", { base_url })];
  await bench.claviger.app.declareProviders(two);
  const sources = (await listOf(bench)).map(({ name, source }) => [name, source]);
  expect(sources).toEqual([
    ["z", "file"],
    ["a", "file"],
    ["stored", "store"],
  ]);
  const call = (method: string, path: string, body?: object) =>
    bench.claviger.control({ method, path: `${PATH}${path}`, body });
  const refused = { status: 409, json: { code: "declared_in_file" } };
  expect(await call("PATCH", "/z", { base_url: NOWHERE })).toMatchObject(refused);
  expect(await call("DELETE", "/z")).toMatchObject(refused);
  const taken = await call("POST", "", { name: "z", kind: "openai" });
  expect(taken).toMatchObject({ status: 409, json: { code: "conflict" } });
  expect((await call("GET", "/z")).json).toMatchObject({ source: "file", base_url });
  expect(await testOf(bench, "z")).toMatchObject({ status: 200, json: { ok: true } });
  expect((await listOf(bench)).map(({ name }) => name)).toEqual(["z", "a", "stored"]);
});

test("[I16] a literal credential is an error that says so and does not repeat it", () => {
  const literal = freshValue();
  const wrong = [
    { credential: literal },
    { credentials: [literal] },
    { credential: { value: literal } },
    { credentials: [{ type: "api_key", value: literal }] },
    { credential: { secret: "main", value: literal } },
    { credential: { secret: "main", env: "LAB_KEY" } },
    { credential: {} },
  ];
  for (const fields of wrong) {
    const thrown = thrownBy(() => declared("lab", { base_url: NOWHERE, ...fields }));
    expect(thrown, JSON.stringify(fields)).toMatch(
      /a credential does not stand in the file; name where it is/,
    );
    expect(thrown).not.toContain(literal);
  }
  const both = { credential: { secret: "a" }, credentials: [{ secret: "b" }] };
  expect(thrownBy(() => declared("lab", both))).toMatch(/lab\.credential: give credential or credentials/);
  const bad = [{ env: "A=B" }, { file: "relative" }, { secret: "-x" }];
  for (const credential of bad) expect(thrownBy(() => declared("lab", { credential }))).not.toBe("");
});

test("[I16] [E5] one provider that the API would refuse, or a name that is taken, and nothing of the list is changed", async () => {
  await using bench = await startDeclaredBench();
  await bench.claviger.addProvider("stored", NOWHERE);
  const base_url = bench.upstream.baseUrl;
  const { declareProviders } = bench.claviger.app;
  await declareProviders([declared("kept", { base_url })]);
  const before = await listOf(bench);
  const id = before.find(({ name }) => name === "stored")?.id ?? "";
  const cases: [object, readonly (readonly string[])[]][] = [
    [{ name: "x", base_url: "http://169.254.169.254/v1" }, [["x", "base_url"]]],
    [{ name: "x", base_url: "http://127.0.0.1:9" }, [["x", "base_url"]]],
    [{ name: "x" }, [["x", "base_url"]]],
    [{ name: "x", base_url, options: { methods: ["GET"] } }, [["x", "options"]]],
    [{ name: "x", base_url, options: { proxy: "http://169.254.169.254" } }, [["x", "options", "proxy"]]],
    [{ name: "stored", base_url }, [["stored"]]],
    [{ name: "kept", base_url: "ftp://127.0.0.1" }, [["kept", "base_url"], ["kept"]]],
  ];
  for (const [{ name, ...fields }, paths] of cases.map(([of, at]) => [named.parse(of), at] as const)) {
    const list = [declared("kept", { base_url: NOWHERE }), declared(name, fields)];
    const refused = declareProviders(list);
    await expect(refused).rejects.toMatchObject({ exitCode: 78, problems: paths.map((path) => ({ path })) });
    if (name === "stored")
      await expect(refused).rejects.toThrow(new RegExp(`of the file .* \\(${id}\\) of the store`));
    expect(await listOf(bench)).toEqual(before);
  }
  expect(await bench.ask("kept")).toEqual([200, undefined]);
});
const named = z.looseObject({ name: z.string() });

test("[I16] a secret that is not set is 502, said by list and test, until it is set; one that is in use stays", async () => {
  await using bench = await startDeclaredBench();
  const credential = { secret: "main" };
  await bench.claviger.app.declareProviders([
    declared("lab", { base_url: bench.upstream.baseUrl, credential }),
  ]);
  const repair = /The secret main is not set; set it with: claviger provider set-credential --secret main/;
  expect(await bench.ask("lab")).toEqual([502, "credential_missing"]);
  expect(bench.claviger.logged()).toMatch(repair);
  expect((await testOf(bench, "lab")).json).toEqual({ ok: false, error: expect.stringMatching(repair) });
  const shown = await bench.claviger.control({ path: `${PATH}/lab` });
  expect(shown.json).toMatchObject({
    credentials: [{ hint: "" }],
    problems: [expect.stringMatching(repair)],
  });
  expect(bench.upstream.requests).toEqual([]);
  const credentials = async () => (await bench.claviger.control({ path: "/api/v1/credentials" })).json;
  const unset = { name: "main", set: false, hint: "", used_by: ["lab"] };
  expect(await credentials()).toEqual({ data: [unset], next_cursor: null });
  const value = freshValue();
  expect(await bench.setSecret("main", value)).toBe(204);
  expect(await bench.ask("lab")).toEqual([200, undefined]);
  const again = freshValue();
  expect(await bench.setSecret("main", again)).toBe(204);
  expect(await bench.ask("lab")).toEqual([200, undefined]);
  expect(presentedTo(bench.upstream)).toEqual([value, again]);
  expect(await credentials()).toMatchObject({ data: [{ set: true, hint: again.slice(-4) }] });
  expect((await bench.claviger.control({ path: `${PATH}/lab` })).json).not.toHaveProperty("problems");
  const remove = () => bench.claviger.control({ method: "DELETE", path: "/api/v1/credentials/main" });
  expect(await remove()).toMatchObject({ status: 409, json: { code: "credential_in_use" } });
  expect(await bench.ask("lab")).toEqual([200, undefined]);
  await bench.claviger.app.declareProviders([]);
  expect((await remove()).status).toBe(204);
  expect((await remove()).status).toBe(404);
  expect(await credentials()).toEqual({ data: [], next_cursor: null });
});

test("[I16] of a pool those that are there are used, and what is missing is said", async () => {
  const value = freshValue();
  await using bench = await startDeclaredBench({ env: { HERE: value } });
  const credentials = [{ secret: "none" }, { env: "GONE" }, { env: "HERE" }];
  await bench.claviger.app.declareProviders([
    declared("lab", { base_url: bench.upstream.baseUrl, credentials }),
  ]);
  expect(await bench.ask("lab")).toEqual([200, undefined]);
  expect(presentedTo(bench.upstream)).toEqual([value]);
  const { json } = await bench.claviger.control({ path: `${PATH}/lab` });
  const problems = [/secret none is not set/, /environment variable GONE is not set/].map((words) =>
    expect.stringMatching(words),
  );
  expect(json).toMatchObject({ credentials: [{}, {}, { hint: value.slice(-4) }], problems });
});

test("[I16] a file that is open to others, too large, absent or no text for a header is refused with the reason, and read anew with the next list", async () => {
  await using bench = await startDeclaredBench();
  const value = freshValue();
  const write = (name: string, text: string, mode = 0o600) => {
    writeFileSync(join(bench.directory, name), text, { mode });
    return name;
  };
  const cases: [string, RegExp][] = [
    [write("group", value, 0o640), /open to others \(mode 0640\)/],
    [write("world", value, 0o604), /open to others \(mode 0604\)/],
    [write("large", "x".repeat(65_537)), /larger than 65536 bytes/],
    ["absent", /does not exist/],
    [".", /is no regular file/],
    [write("empty", "\n"), /printable ASCII/],
    [write("lines", `${value}\n\n`), /printable ASCII/],
    [write("umlaut", `${value}ü`), /printable ASCII/],
  ];
  const base_url = bench.upstream.baseUrl;
  const declareFile = (name: string) =>
    bench.claviger.app.declareProviders([
      declared("lab", { base_url, credential: { file: join(bench.directory, name) } }),
    ]);
  for (const [name, reason] of cases) {
    await declareFile(name);
    expect(await bench.ask("lab"), name).toEqual([502, "credential_missing"]);
    const tested = await testOf(bench, "lab");
    expect(tested.json).toEqual({ ok: false, error: expect.stringMatching(reason) });
    expect(tested.text).not.toContain(value);
  }
  expect(bench.upstream.requests).toEqual([]);
  write("absent", `${value}\r\n`, 0o400);
  await declareFile("absent");
  expect(await bench.ask("lab")).toEqual([200, undefined]);
  expect(presentedTo(bench.upstream)).toEqual([value]);
});

test("[E4] [I16] a secret goes to no other origin, and through no other proxy, than it was first used for, until it is set anew", async () => {
  await using other = await startUpstream({ listsApart: true });
  await using bench = await startDeclaredBench();
  const credential = { secret: "main" };
  const to = (fields: object) =>
    bench.claviger.app.declareProviders([declared("lab", { credential, ...fields })]);
  const refusal = /The secret main was set for http:\/\/127\.0\.0\.1:\d+, without a proxy; set it again with/;
  const [value, again] = [freshValue(), freshValue()];
  await bench.setSecret("main", value);
  await to({ base_url: bench.upstream.baseUrl });
  expect(await bench.ask("lab")).toEqual([200, undefined]);
  await to({ base_url: other.baseUrl });
  expect(await bench.ask("lab")).toEqual([502, "credential_missing"]);
  expect((await testOf(bench, "lab")).json).toEqual({ ok: false, error: expect.stringMatching(refusal) });
  await to({ base_url: bench.upstream.baseUrl, options: { proxy: new URL(other.baseUrl).origin } });
  expect(await bench.ask("lab")).toEqual([502, "credential_missing"]);
  expect([other.requests.length, other.listed]).toEqual([0, 0]);
  await to({ base_url: bench.upstream.baseUrl });
  expect(await bench.ask("lab")).toEqual([200, undefined]);
  await to({ base_url: other.baseUrl });
  expect(await bench.setSecret("main", again)).toBe(204);
  expect(await bench.ask("lab")).toEqual([200, undefined]);
  expect(presentedTo(other)).toEqual([again]);
  expect(presentedTo(bench.upstream)).toEqual([value, value]);
});

test("[E4] of two providers that name one secret only the first may use it, where they lead to two origins", async () => {
  await using other = await startUpstream({ listsApart: true });
  await using bench = await startDeclaredBench();
  const credential = { secret: "main" };
  await bench.claviger.app.declareProviders([
    declared("one", { base_url: bench.upstream.baseUrl, credential }),
    declared("two", { base_url: other.baseUrl, credential }),
    declared("three", { base_url: bench.upstream.baseUrl, credential }),
  ]);
  const value = freshValue();
  await bench.setSecret("main", value);
  expect(await bench.ask("two")).toEqual([502, "credential_missing"]);
  expect(await bench.ask("one")).toEqual([200, undefined]);
  expect(await bench.ask("three")).toEqual([200, undefined]);
  expect(presentedTo(bench.upstream)).toEqual([value, value]);
  expect([other.requests.length, other.listed]).toEqual([0, 0]);
});

test.each([
  1, 2,
])("[I16] with %i threads a new list changes what it changes in every thread, and leaves the rest as it was", async (workers) => {
  const clock = new FakeClock();
  const [first, second, moved] = [freshValue(), freshValue(), freshValue()];
  await using bench = await startDeclaredBench({ workers, clock, env: { A: first, B: second, C: moved } });
  await using changing = await startUpstream({ listsApart: true });
  await using target = await startUpstream({ listsApart: true });
  const kept = (name = "kept") =>
    declared(name, { base_url: bench.upstream.baseUrl, credentials: [{ env: "A" }, { env: "B" }] });
  const other = (base_url: string, variable: string) =>
    declared("other", { base_url, credential: { env: variable } });
  const listing = bench.upstream.nextListing();
  const { declareProviders } = bench.claviger.app;
  await declareProviders([kept(), other(changing.baseUrl, "A")]);
  await listing;
  using held = await holdAll(bench, workers);
  const askAll = (model: string) => held.ask(model);
  const all = <One>(one: One) => Array.from({ length: workers }, () => one);
  expect(await askAll("kept")).toEqual(all(200));
  bench.upstream.behave({ kind: "error", status: 429, headers: { "retry-after": "600" } });
  expect(await held.askFirst("kept")).toBe(429);
  bench.upstream.behave({ kind: "ok" });
  // The word goes from thread to thread by the main one: an answer of the main thread comes after it.
  await bench.claviger.control({ path: "/api/v1/requests" });
  expect(await askAll("kept")).toEqual(all(200));
  const [listed, connections, before] = [
    bench.upstream.listed,
    bench.upstream.connections,
    bench.upstream.requests.length,
  ];
  expect(await askAll("other")).toEqual(all(200));
  await declareProviders([other(target.baseUrl, "C"), kept()]);
  expect(await askAll("other")).toEqual(all(200));
  expect(presentedTo(changing)).toEqual(all(first));
  expect(presentedTo(target)).toEqual(all(moved));
  expect(await askAll("kept")).toEqual(all(200));
  // What cooled down still does, and neither a list nor a connection was needed anew.
  expect(presentedTo(bench.upstream).slice(before)).toEqual(all(second));
  expect([bench.upstream.listed, bench.upstream.connections]).toEqual([listed, connections]);
  await declareProviders([kept()]);
  expect(await askAll("other")).toEqual(all(404));
  await declareProviders([]);
  expect(await askAll("kept")).toEqual(all(404));
});

test.each([
  1, 2,
])("[I16] with %i threads the order of the file decides over a bare model name, also where it alone changed", async (workers) => {
  await using second = await startUpstream({ listsApart: true });
  await using bench = await startDeclaredBench({ workers });
  const one = declared("one", { base_url: bench.upstream.baseUrl });
  const two = declared("two", { base_url: second.baseUrl });
  await bench.claviger.app.declareProviders([one, two]);
  using held = await holdAll(bench, workers);
  await held.askBare();
  expect([bench.upstream.requests.length, second.requests.length]).toEqual([workers, 0]);
  const listed = second.listed;
  await bench.claviger.app.declareProviders([two, one]);
  await held.askBare();
  expect([bench.upstream.requests.length, second.requests.length]).toEqual([workers, workers]);
  expect(second.listed).toBe(listed);
});

test("[I16] a declared provider and its secret are the same after a restart", async () => {
  await using bench = await startDeclaredBench();
  const list = [declared("lab", { base_url: bench.upstream.baseUrl, credential: { secret: "main" } })];
  const value = freshValue();
  await bench.setSecret("main", value);
  await bench.claviger.app.declareProviders(list);
  const [before] = await listOf(bench);
  await bench.claviger.app.close();
  await using again = await startClaviger({ dataDir: bench.claviger.dataDir });
  expect(await listOf({ claviger: again })).toEqual([]);
  await again.app.declareProviders(list);
  expect((await listOf({ claviger: again }))[0]?.id).toBe(before?.id);
  const { key } = await again.issueKey("later");
  const body = { model: "lab/sim-1", input: "x" };
  const headers = { authorization: `Bearer ${key}` };
  expect((await again.call({ method: "POST", path: "/v1/embeddings", headers, body })).status).toBe(200);
  expect(presentedTo(bench.upstream)).toEqual([value]);
});

test("[I16] the example of the documentation is taken as it stands", async () => {
  const text = readFileSync(new URL("../../docs/providers.md", import.meta.url), "utf8");
  const [, example = ""] = /```yaml\n(.*?)```/s.exec(text) ?? [];
  const { resources } = z
    .object({ resources: z.record(z.string(), z.looseObject({})) })
    .parse(parse(example));
  const list = Object.entries(resources).map(([name, { resource_type: _, ...fields }]) =>
    declared(name, fields),
  );
  expect(list.map(({ name, credentials }) => [name, credentials])).toEqual([
    ["lab", [{ secret: "lab-key" }]],
    ["openai", [{ env: "OPENAI_API_KEY" }, { file: "/etc/claviger-openai.key" }]],
  ]);
  await using bench = await startDeclaredBench({ egress: OFFLINE });
  await bench.claviger.app.declareProviders(list);
  expect((await listOf(bench)).map(({ name }) => name)).toEqual(["lab", "openai"]);
});

function thrownBy(work: () => unknown): string {
  try {
    work();
    return "";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
