import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { SETTINGS } from "#platform/config/settings.ts";
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

test("[I13] docs/configuration.md and docs/settings.md name the settings that a reload puts in force, and no others", () => {
  const live = SETTINGS.filter((setting) => setting.live).map(({ key }) => key);
  const [, section = ""] = page.split("## Without a restart\n");
  const [, sentence = ""] = /the settings ([^.]*) hold\s+at once/.exec(section) ?? [];
  expect([...sentence.matchAll(/`(\w+)`/g)].map(([, name]) => name).sort()).toEqual([...live].sort());
  const table = readFileSync(new URL("../../docs/settings.md", import.meta.url), "utf8");
  for (const { key } of SETTINGS) {
    const row = table.split("\n").find((line) => line.startsWith(`| \`${key}\` |`)) ?? "";
    expect(row.endsWith(live.includes(key) ? "| at once |" : "| restart |"), key).toBe(true);
  }
});

test("[I6] docs/listeners.md says what to set behind a proxy that sends no forwarding header", () => {
  const listeners = readFileSync(new URL("../../docs/listeners.md", import.meta.url), "utf8");
  const [, section = ""] = listeners.split("## Behind a proxy\n");
  expect(section).toMatch(/With a proxy that sends none set\s`REQUIRE_API_KEY=true`/);
});
