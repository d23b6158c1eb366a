import { expect, test } from "vitest";
import { checkWebLayering } from "./layering-web.ts";

const rulesOf = (file: string, text: string) =>
  checkWebLayering(new Map([[file, `// first line\n${text}\n`]])).map(
    (found) => `${found.file}:${found.line}: ${found.rule}`,
  );

test.each([
  ["lib/a.ts", 'import { B } from "#components/b.tsx";', "lib must not import components"],
  ["components/a.tsx", 'import { B } from "../features/keys/b.tsx";', "components must not import features"],
  ["features/keys/a.tsx", 'import { B } from "#app/b.tsx";', "features must not import app"],
  [
    "features/keys/a.tsx",
    'const b = await import("#features/usage/b.tsx");',
    "do not import each other: keys, usage",
  ],
  ["features/session/a.tsx", 'import "#features/keys/b.tsx";', "do not import each other: session, keys"],
  ["app/a.tsx", 'import "../../src/app.ts";', "outside the dashboard"],
  ["app/a.tsx", 'import "../elsewhere/a.ts";', "on none of the floors"],
])("%s reports %s", (file, text, rule) => {
  const found = rulesOf(file, text);
  expect(found).toEqual([expect.stringContaining(rule)]);
  expect(found[0]).toContain(`web/${file}:2: `);
});

test.each([
  [
    "features/keys/a.tsx",
    'import { B } from "#lib/b.ts";\nimport { C } from "./c.tsx";\nimport React from "react";',
  ],
  ["features/keys/api/a.ts", 'import { useMe } from "#features/session/me.ts";'],
  [
    "app/a.tsx",
    'import "#features/keys/page.tsx";\nimport pages from "../pages.json" with { type: "json" };',
  ],
  ["lib/a.ts", '// import "#app/a.tsx";'],
])("%s may do what it does", (file, text) => {
  expect(rulesOf(file, text)).toEqual([]);
});
