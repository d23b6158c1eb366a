import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import * as z from "zod";
import { EXIT } from "#cli/exit-codes.ts";
import { claviger, scratch } from "../start/process.ts";
import { freshKey } from "./declare.ts";
import { LanguageServer } from "./language-server.ts";

vi.setConfig({ testTimeout: 60_000 });

/** A scratch directory that is there. */
function made(): ReturnType<typeof scratch> {
  const place = scratch();
  mkdirSync(place.path);
  return place;
}

test("[I1] config init writes a file that passes the check, its schema and a .gitignore, and overwrites nothing", async () => {
  using place = made();
  const configDir = join(place.path, "conf");
  const run = (...args: string[]) =>
    claviger(["config", ...args, "--config-dir", configDir], { env: { DATA_DIR: place.path } });
  const written = await run("init", "--json");
  expect([written.status, written.stderr]).toEqual([0, ""]);
  const files = [".gitignore", "claviger.schema.json", "claviger.yaml"].map((name) => join(configDir, name));
  expect(JSON.parse(written.stdout)).toEqual({ written: files });
  expect(statSync(configDir).mode & 0o777).toBe(0o700);
  const [ignored = "", , text = ""] = files.map((file) => readFileSync(file, "utf8"));
  for (const line of ["/credentials/", "/secrets/", "/certs/*.key"])
    expect(ignored.split("\n")).toContain(line);
  const checked = await run("check", "--json");
  expect(checked.status, checked.stderr).toBe(0);
  // What the comments say may be taken at its word.
  const uncommented = text
    .replace("credential: { api_key: HASH }", `credential: { api_key: ${freshKey().hash} }`)
    .replaceAll(/^( {2,})# (?=[a-z_-]+:( |$)| {2})/gm, "$1");
  expect(uncommented).not.toBe(text);
  writeFileSync(join(configDir, "claviger.yaml"), uncommented);
  const explained = await run("check", "--explain", "--json");
  expect(explained.status, explained.stderr).toBe(0);
  const rows = z.array(z.object({ setting: z.string(), value: z.string(), from: z.string() }));
  expect(rows.parse(JSON.parse(explained.stdout))).toEqual(
    expect.arrayContaining([
      { setting: "log_level", value: "warn", from: "file" },
      { setting: "resources.main", value: "HttpServer", from: "file" },
      { setting: "resources.small-models", value: "PermissionSet", from: "file" },
      { setting: "resources.build-robot", value: "Identity", from: "file" },
    ]),
  );
  const again = await run("init");
  expect([again.status, again.stdout]).toEqual([EXIT.cannotCreate, ""]);
  expect(again.stderr).toContain("is there already");
  expect(readFileSync(join(configDir, "claviger.yaml"), "utf8")).toBe(uncommented);
});

test("[I1] config init keeps a .gitignore that is there, and says what is no directory: 78", async () => {
  using place = made();
  writeFileSync(join(place.path, ".gitignore"), "mine\n");
  expect((await claviger(["config", "init", "--config-dir", place.path])).status).toBe(0);
  expect(readFileSync(join(place.path, ".gitignore"), "utf8")).toBe("mine\n");
  const below = join(place.path, ".gitignore", "conf");
  const refused = await claviger(["config", "init", "--config-dir", below]);
  expect(refused.status).toBe(EXIT.configuration);
  expect(refused.stderr).toContain(below);
});

test("[I1][N6] config check prints FILE:LINE:COLUMN: text for each problem, and ends with 78", async () => {
  using place = made();
  const file = join(place.path, "c.yaml");
  writeFileSync(
    file,
    "resources:\n  a: { resource_type: Identty }\n  b: { resource_type: PermissionSet, alow: [] }\n",
  );
  const env = { DATA_DIR: place.path };
  const { status, stderr } = await claviger(["config", "check", file], { env });
  expect(status).toBe(EXIT.configuration);
  expect(stderr).toContain(`${file}:2:23: "Identty" is no resource_type (did you mean "Identity"?)`);
  expect(stderr).toContain(`${file}:3:38: "alow" is not a field of PermissionSet (did you mean "allow"?)`);
  const json = await claviger(["config", "check", file, "--json"], { env });
  expect(JSON.parse(json.stderr).error.problems).toMatchObject([
    { file, line: 2, column: 23 },
    { file, line: 3, column: 38 },
  ]);
});

test("[I1] config check --explain shows the listener there is without one in the file, and its own in place of it", async () => {
  using place = made();
  const explain = async (text: string) => {
    const file = join(place.path, "c.yaml");
    writeFileSync(file, text);
    const env = { DATA_DIR: place.path, LOG_LEVEL: "error" };
    return (await claviger(["config", "check", file, "--explain"], { env })).stdout;
  };
  expect(await explain("settings: {log_level: warn, workers: 2}\n")).toMatch(
    /log_level +error +environment\n(.*\n)*workers +2 +file\n(.*\n)*resources\.local +HttpServer +default\n$/,
  );
  const own = "resources: {w: {resource_type: HttpServer, listen_addr: '127.0.0.1:1', auth: [keys]}}\n";
  expect(await explain(own)).toMatch(/resources\.w +HttpServer +file\n$/);
});

test("[I1] config schema prints the published JSON Schema, in which every field is described", async () => {
  const published = readFileSync(new URL("../../docs/claviger.schema.json", import.meta.url), "utf8");
  const { status, stdout } = await claviger(["config", "schema"]);
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toEqual(JSON.parse(published));
  const fields = fieldsOf(JSON.parse(stdout));
  expect(fields.length).toBeGreaterThan(50);
  const silent = fields.filter(({ name, described }) => !described && name !== "resource_type");
  expect(silent.map(({ name }) => name)).toEqual([]);
});

test("[I1] an editor with the schema offers types and fields, describes them, and shows an unknown one", async () => {
  using place = made();
  const configDir = join(place.path, "conf");
  mkdirSync(configDir);
  expect((await claviger(["config", "init", "--config-dir", configDir])).status).toBe(0);
  await using editor = await LanguageServer.start(configDir);
  const text = (name: string) => `# yaml-language-server: $schema=claviger.schema.json\n${name}`;
  expect(await editor.open("claviger.yaml", readFileSync(join(configDir, "claviger.yaml"), "utf8"))).toEqual(
    [],
  );
  await editor.open("types.yaml", text("resources:\n  a:\n    resource_type: \n"));
  expect((await editor.complete("types.yaml", 3, 19)).sort()).toEqual(
    ["HttpServer", "Identity", "PermissionSet", "Provider"].sort(),
  );
  await editor.open("fields.yaml", text("resources:\n  a:\n    resource_type: HttpServer\n    \n"));
  const fields = await editor.complete("fields.yaml", 4, 4);
  expect(fields).toEqual(expect.arrayContaining(["listen_addr", "auth", "tls", "serve"]));
  expect(fields).not.toContain("credential");
  const wrong =
    "resources:\n  a:\n    resource_type: PermissionSet\n    alow: []\nsettings:\n  log_level: warn\n";
  expect((await editor.open("wrong.yaml", text(wrong))).join("\n")).toContain("alow is not allowed");
  expect(await editor.hover("wrong.yaml", 6, 4)).toContain("The least severe messages that are logged.");
});

/** Every field that a JSON Schema names below `properties`, and whether it says what it is. */
function fieldsOf(schema: unknown): { name: string; described: boolean }[] {
  if (typeof schema !== "object" || schema === null) return [];
  return Object.entries(schema).flatMap(([key, inner]) => {
    if (key !== "properties" || typeof inner !== "object" || inner === null) return fieldsOf(inner);
    const named = Object.entries(inner).map(([name, field]) => ({
      name,
      described: typeof field === "object" && field !== null && "description" in field,
    }));
    return [...named, ...Object.values(inner).flatMap(fieldsOf)];
  });
}
