import { expect, test, vi } from "vitest";
import { EXIT } from "#cli/exit-codes.ts";
import { startClaviger } from "../claviger.ts";
import { declared, freshValue } from "../gateway/declared-bench.ts";
import { claviger } from "../start/process.ts";
import { startUpstream } from "../upstream.ts";

vi.setConfig({ testTimeout: 120_000 });

test("[I16] [G10] by command a provider of the file is shown as such with what it lacks, and its secret is set", async () => {
  await using upstream = await startUpstream({ listsApart: true });
  await using server = await startClaviger();
  const base_url = upstream.baseUrl;
  await server.addProvider("stored", base_url);
  await server.app.declareProviders([
    declared("lab", { base_url, credential: { secret: "lab-key" } }),
    declared("pair", { base_url, credentials: [{ secret: "first" }, { secret: "second" }] }),
  ]);
  const run = (words: readonly string[], input?: string) =>
    claviger(["provider", ...words, "--data-dir", server.dataDir], input === undefined ? {} : { input });
  const repair =
    "The secret lab-key is not set; set it with: claviger provider set-credential --secret lab-key";
  const listed = await run(["list"]);
  expect(listed.stdout).toMatch(
    /^NAME +KIND +BASE URL +SOURCE .*\nlab .* file .*\npair .* file .*\nstored .* store\n/s,
  );
  expect(listed.stderr).toContain(`lab: ${repair}\n`);
  expect((await run(["show", "lab"])).stdout).toContain(`source: file\ncredentials: …\n  ${repair}\n`);
  const tested = await run(["test", "lab"]);
  expect([tested.status, tested.stdout]).toEqual([EXIT.failed, `lab does not work: ${repair}\n`]);
  const [value, again, ahead] = [freshValue(), freshValue(), freshValue()];
  const set = await run(["set-credential", "lab"], `${value}\n`);
  expect([set.status, set.stdout]).toEqual([0, "secret lab-key set\n"]);
  expect((await run(["test", "lab"])).status).toBe(0);
  expect((await run(["set-credential", "lab-key"], `${again}\n`)).status).toBe(0);
  expect((await run(["set-credential", "--secret", "later"], `${ahead}\n`)).status).toBe(0);
  const held = await server.control({ path: "/api/v1/credentials" });
  expect(held.json).toMatchObject({
    data: [
      { name: "first", set: false },
      { name: "lab-key", hint: again.slice(-4) },
      { name: "later", hint: ahead.slice(-4), used_by: [] },
      { name: "second", set: false },
    ],
  });
  const several = await run(["set-credential", "pair"], `${value}\n`);
  expect([several.status, several.stderr]).toEqual([
    EXIT.data,
    expect.stringMatching(/several secrets: first, second/),
  ]);
  const removed = await run(["remove", "lab"]);
  expect([removed.status, removed.stderr]).toEqual([
    EXIT.data,
    expect.stringMatching(/declared in the configuration file/),
  ]);
  for (const { stdout, stderr } of [listed, tested, set, several])
    expect(stdout + stderr).not.toContain(value);
});
