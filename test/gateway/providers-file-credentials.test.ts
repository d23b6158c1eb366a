import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startUpstream } from "#test/upstream.ts";
import {
  type DeclaredBench,
  declared,
  freshValue,
  presentedTo,
  startDeclaredBench,
} from "./declared-bench.ts";

const PATH = "/api/v1/providers";
const testOf = ({ claviger }: DeclaredBench, name: string) =>
  claviger.control({ method: "POST", path: `${PATH}/${name}/test` });

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
