import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { claviger, scratch, serve } from "./process.ts";

test("[I13] SIGHUP has the file read anew, and what is wrong with that is logged; the server goes on", async () => {
  using place = scratch();
  const configDir = join(place.root, "conf");
  mkdirSync(configDir, { mode: 0o700 });
  const file = join(configDir, "claviger.yaml");
  const set = (name: string) =>
    `resources:\n  ${name}: {resource_type: PermissionSet, allow: [models.read]}\n`;
  writeFileSync(file, set("before"));
  await using server = await serve(place.path, { args: ["--config-dir", configDir] });
  const create = (name: string) =>
    claviger(["api-key", "create", name, "--permissions", name, "--data-dir", place.path]);
  expect((await create("after")).status).not.toBe(0);
  writeFileSync(file, set("after"));
  server.child.kill("SIGHUP");
  await server.says(/the configuration was reloaded/);
  expect(await create("after")).toMatchObject({ status: 0 });
  writeFileSync(file, "resources:\n  broken: {resource_type: Nothing}\n");
  server.child.kill("SIGHUP");
  await server.says(/the configuration was refused; the one before stays in force/);
  expect(await create("before")).not.toMatchObject({ status: 0 });
  const reload = await claviger(["config", "reload", "--data-dir", place.path]);
  expect(reload.status).toBe(78);
  expect(reload.stderr).toMatch(/claviger\.yaml:2:\d+: .*Nothing/);
});
