import { expect, test } from "vitest";
import { checkLayering } from "./layering.ts";

const rulesOf = (files: Record<string, string>) =>
  checkLayering(new Map(Object.entries(files))).map(({ file, line, rule }) => `${file}:${line}: ${rule}`);

const PLANTED: [string, string, string, string][] = [
  [
    "a wing to the right",
    "src/gates/audit/a.ts",
    'import "#vault/seal/index.ts";',
    "gates must not import vault",
  ],
  [
    "a room past its door",
    "src/cli/a.ts",
    'import { x } from "#vault/seal/x.ts";',
    "entered only by its index.ts",
  ],
  [
    "a neighbour past its door",
    "src/vault/seal/a.ts",
    'import "../backup/x.ts";',
    "entered only by its index.ts",
  ],
  [
    "services among themselves",
    "src/services/mitm/a.ts",
    'import "#services/cluster/index.ts";',
    "do not import each",
  ],
  [
    "lib upwards",
    "src/platform/lib/a.ts",
    'import "../storage/database.ts";',
    "lib must not import platform/storage",
  ],
  [
    "storage upwards",
    "src/platform/storage/a.ts",
    'import "../http/a.ts";',
    "storage must not import platform/http",
  ],
  ["app upwards", "src/app.ts", 'const x = await import("#cli/run.ts");', "app must not import cli"],
  ["services upwards", "src/services/mitm/a.ts", 'import "#app";', "services must not import app"],
  ["main past cli", "src/main.ts", 'import { x } from "./app.ts";', "src/main.ts imports only cli"],
  ["test code in src", "src/cli/a.ts", 'import "#test/fake-clock.ts";', "outside the wings"],
  ["the environment", "src/cli/a.ts", "const home = process.env.HOME;", "process.env only"],
  ["the console", "src/app.ts", "console.log(1);", "console only"],
  ["cryptography", "src/gates/access/a.ts", 'import "node:crypto";', "node:crypto only"],
  [
    "sqlite",
    "src/vault/seal/store.ts",
    'import { DatabaseSync } from "node:sqlite";',
    "only in platform/storage",
  ],
  ["node:http", "src/cli/a.ts", 'import { request } from "node:http";', "by platform/http/node-http.ts"],
  ["node:http for a type", "src/cli/a.ts", 'import { type Agent } from "node:http";', "but for its types"],
  ["pg", "src/vault/seal/store.ts", 'import pg from "pg";', "only in platform/storage"],
  ["kysely", "src/vault/seal/a.ts", 'import type { Kysely } from "kysely";', "kysely only"],
  [
    "a wide door",
    "src/vault/seal/index.ts",
    'export { a, b, c, d, e, f, g, h, i, j, k } from "./a.ts";',
    "exports 11",
  ],
  ["an open door", "src/vault/seal/index.ts", 'export * from "./a.ts";', "no export *"],
];

test.each(PLANTED)("reports %s", (_name, file, text, rule) => {
  const found = rulesOf({ [file]: `// first line\n${text}\n` });
  expect(found).toHaveLength(1);
  expect(found[0]).toContain(file);
  expect(found[0]).toContain(rule);
});

test("reports the line, and a cycle between rooms at each of its arrows", () => {
  const found = rulesOf({
    "src/vault/seal/a.ts": '\nimport "#vault/backup/index.ts";',
    "src/vault/backup/a.ts": 'export { b } from "../seal/index.ts";',
  });
  expect(found).toEqual([
    "src/vault/seal/a.ts:2: cycle between vault/seal and vault/backup",
    "src/vault/backup/a.ts:1: cycle between vault/backup and vault/seal",
  ]);
});

test("passes what is allowed, and what only a comment or a string says", () => {
  const found = rulesOf({
    "src/vault/seal/a.ts":
      '// process.env\nimport "node:crypto";\nimport "#gates/audit/index.ts";\nconst a = "console.log";',
    "src/vault/seal/store.ts": 'import type { Kysely } from "kysely";\nimport "#platform/storage/tables.ts";',
    "src/platform/http/a.ts":
      'import type { Agent } from "node:http";\nimport { request } from "./node-http.ts";',
    "src/cli/output.ts": 'console.log("x");',
    "src/main.ts": 'import { run } from "#cli/run.ts";',
  });
  expect(found).toEqual([]);
});
