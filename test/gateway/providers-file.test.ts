import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import * as z from "zod";
import { providerResourceKind } from "#services/gateway/index.ts";
import { OFFLINE } from "#test/offline.ts";
import {
  type DeclaredBench,
  declared,
  freshValue,
  presentedTo,
  startDeclaredBench,
} from "./declared-bench.ts";

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
    expect(thrown, JSON.stringify(fields)).toMatch(/a credential has no place in this file; name it as/);
    expect(thrown).not.toContain(literal);
  }
  const both = providerResourceKind.whole.parse({
    kind: "openai",
    credential: { secret: "a" },
    credentials: [{ secret: "b" }],
  });
  expect(providerResourceKind.toDeclared("lab", both)).toEqual({
    problems: [{ path: ["credential"], problem: "credential and credentials are both here; keep one" }],
  });
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
