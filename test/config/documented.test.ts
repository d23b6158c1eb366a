import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { RESOURCE_KINDS } from "../../src/app/declared/declared.ts";
import { declared } from "./declare.ts";

const page = readFileSync(new URL("../../docs/configuration.md", import.meta.url), "utf8");
const examples = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map((found) => found[1] ?? "");

test("[I1] every example of docs/configuration.md is right, and every kind of resource has one", () => {
  const types = examples.flatMap((text) => [...declared(text).types.values()]);
  expect([...new Set(types)].sort()).toEqual(RESOURCE_KINDS.map(({ resourceType }) => resourceType).sort());
});

test("[I1] docs/configuration.md names every field of every kind", () => {
  for (const { resourceType, shape } of RESOURCE_KINDS) {
    const [, section = ""] = page.split(`### ${resourceType}\n`);
    for (const field of Object.keys(shape.shape))
      expect(section, `${resourceType} ${field}`).toContain(field);
  }
});
