import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import * as z from "zod";
import { claviger, scratch, serve } from "./process.ts";

vi.setConfig({ testTimeout: 60_000 });

const report = z.object({
  ok: z.boolean(),
  missing_credentials: z.array(z.object({ provider: z.string(), problem: z.string() })),
});

const YAML = (file: string) => `resources:
  lab:
    resource_type: Provider
    kind: openai-compatible
    base_url: https://lab.example/v1
    credentials: [{ secret: lab-key }, { env: LAB_KEY }, { file: ${file} }]
`;

test("[L2] doctor names each credential that a provider of the file lacks, without a server and beside one", async () => {
  using place = scratch();
  const file = join(place.path, "lab.key");
  mkdirSync(join(place.path, "etc"), { recursive: true, mode: 0o700 });
  writeFileSync(join(place.path, "etc", "claviger.yaml"), YAML(file));
  const env = { LAB_KEY: "the-key-of-the-lab" };
  const doctor = async (given: Readonly<Record<string, string>> = {}) => {
    const { status, stdout, stderr } = await claviger(["doctor", "--json", "--data-dir", place.path], {
      env: given,
    });
    expect(stdout + stderr).not.toContain(env.LAB_KEY);
    const { ok, missing_credentials: missing } = report.parse(JSON.parse(stdout));
    expect([ok, status]).toEqual(missing.length === 0 ? [true, 0] : [false, 1]);
    return missing.map(({ provider, problem }) => `${provider}: ${problem}`);
  };
  const secret =
    /^lab: The secret lab-key is not set; set it with: claviger provider set-credential --secret lab-key$/;
  const variable = /^lab: The environment variable LAB_KEY is not set/;
  const missingFile = `lab: The file ${file} does not exist.`;
  const all = [expect.stringMatching(secret), expect.stringMatching(variable), missingFile];
  expect(await doctor(), "before the first start").toEqual(all);
  {
    await using server = await serve(place.path, { env });
    // The server's environment counts, not the command's.
    expect(await doctor()).toEqual([expect.stringMatching(secret), missingFile]);
    const set = await claviger(
      ["provider", "set-credential", "--secret", "lab-key", "--data-dir", place.path],
      { input: "another-key-of-the-lab\n" },
    );
    expect(set.status, set.stderr).toBe(0);
    expect(await doctor()).toEqual([missingFile]);
    await server.kill("SIGTERM");
  }
  expect(await doctor()).toEqual([expect.stringMatching(variable), missingFile]);
  writeFileSync(file, "a-third-key\n", { mode: 0o600 });
  expect(await doctor(env)).toEqual([]);
  const { stdout } = await claviger(["doctor", "--data-dir", place.path]);
  expect(stdout).toMatch(/^provider lab: The environment variable LAB_KEY is not set/m);
});

test("[L2] doctor says that it does not look at the providers of a configuration with problems", async () => {
  using place = scratch();
  mkdirSync(join(place.path, "etc"), { recursive: true, mode: 0o700 });
  writeFileSync(join(place.path, "etc", "claviger.yaml"), "resources:\n  lab: { resource_type: Provider }\n");
  const { status, stdout, stderr } = await claviger(["doctor", "--json", "--data-dir", place.path]);
  expect(status).toBe(0);
  expect(report.parse(JSON.parse(stdout))).toMatchObject({ ok: true, missing_credentials: [] });
  expect(stderr).toContain("claviger config check");
});
