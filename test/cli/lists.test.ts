import { expect, test, vi } from "vitest";
import { EXIT } from "#cli/exit-codes.ts";
import { startClaviger } from "../claviger.ts";
import { claviger } from "../start/process.ts";
import { startUpstream } from "../upstream.ts";

vi.setConfig({ testTimeout: 60_000 });

const PRICED = `settings:
  prices:
    - { model: dear, provider: one, input_usd_per_million: 40, output_usd_per_million: 160 }
    - { model: cheap, provider: one, input_usd_per_million: 1, output_usd_per_million: 2 }
`;

/** A server with two providers and two keys, of which `second` asked twice and `first` once, the later one last. */
async function startBench() {
  await using stack = new AsyncDisposableStack();
  const upstream = stack.use(await startUpstream({ models: ["cheap", "dear"] }));
  const server = stack.use(await startClaviger({ yaml: PRICED }));
  await server.addProvider("one", upstream.baseUrl);
  await server.addProvider("idle", "http://127.0.0.1:9/v1", undefined, "ollama");
  const keys = { first: await server.issueKey("zebra"), second: await server.issueKey("Ant") };
  const ask = async ({ key }: { readonly key: string }, model: string) => {
    const body = { model: `one/${model}`, messages: [{ role: "user", content: "Hello" }] };
    const headers = { authorization: `Bearer ${key}` };
    const path = "/v1/chat/completions";
    expect((await server.call({ method: "POST", path, headers, body })).status).toBe(200);
  };
  await ask(keys.second, "cheap");
  await ask(keys.second, "cheap");
  await ask(keys.first, "dear");
  const owned = stack.move();
  return {
    keys,
    server,
    /** A command on it, and the lines it printed. */
    run: async (...words: readonly string[]) => {
      const ended = await claviger([...words, "--data-dir", server.dataDir], {});
      return { ...ended, lines: ended.stdout.split("\n").filter((line) => line !== "") };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

test("[L2] [G9] usage by key is sorted as asked and has the names of the keys, in the table, in JSON and last in CSV", async () => {
  await using bench = await startBench();
  const { first, second } = bench.keys;
  const table = await bench.run("usage", "--by", "key", "--sort=-requests");
  expect(table.lines.map((line) => line.split(/ {2,}/).slice(0, 3))).toEqual([
    ["NAME", "KEY", "REQUESTS"],
    ["Ant", second.id, "2"],
    ["zebra", first.id, "1"],
  ]);
  for (const [sort, names] of [
    ["name", ["Ant", "zebra"]],
    ["-name", ["zebra", "Ant"]],
    ["cost_usd", ["Ant", "zebra"]],
  ] as const) {
    const { stdout } = await bench.run("usage", "--by", "key", `--sort=${sort}`, "--json");
    expect(JSON.parse(stdout)).toMatchObject(names.map((name) => ({ name })));
  }
  const csv = await bench.run("usage", "--by", "key", "--sort", "name", "--csv");
  expect(csv.lines).toEqual([
    "key,requests,input_tokens,output_tokens,cost_usd,estimated_requests,unpriced_requests,name\r",
    expect.stringMatching(new RegExp(`^${second.id},2,.*,Ant\r$`)),
    expect.stringMatching(new RegExp(`^${first.id},1,.*,zebra\r$`)),
  ]);
  const wrong = await bench.run("usage", "--sort", "colour");
  expect([wrong.status, wrong.stderr]).toEqual([
    EXIT.usage,
    expect.stringMatching(/'colour' is invalid.*-cost_usd/),
  ]);
});

test("[L2] [H4] requests name who asked, are found by a key's name, and begin with the oldest where that is asked for", async () => {
  await using bench = await startBench();
  const { first, second } = bench.keys;
  const all = await bench.run("usage", "requests");
  expect(all.lines.map((line) => line.split(" ").slice(2, 5))).toEqual([
    ["Ant", second.id, "one/cheap"],
    ["Ant", second.id, "one/cheap"],
    ["zebra", first.id, "one/dear"],
  ]);
  const newest = await bench.run("usage", "requests", "-n", "1");
  expect(newest.lines).toEqual(all.lines.slice(-1));
  const oldest = await bench.run("usage", "requests", "-n", "2", "--order", "oldest");
  expect(oldest.lines).toEqual(all.lines.slice(0, 2));
  for (const word of ["zebra", first.id])
    expect((await bench.run("usage", "requests", "--key", word)).lines).toEqual(all.lines.slice(2));
  const json = await bench.run("usage", "requests", "--key", "Ant", "-n", "1", "--json");
  expect(JSON.parse(json.stdout)).toMatchObject({ principal: second.id, principal_name: "Ant" });
  const nobody = await bench.run("usage", "requests", "--key", "nobody");
  expect([nobody.status, nobody.lines]).toEqual([EXIT.ok, []]);
  expect(nobody.stderr).toContain("No key or identity is called nobody now");
  for (const words of [
    ["--order", "random"],
    ["--order", "oldest", "--follow"],
  ])
    expect((await bench.run("usage", "requests", ...words)).status).toBe(EXIT.usage);
});

test("[L2] [D4] models and providers are sorted and searched as asked", async () => {
  await using bench = await startBench();
  const firsts = async (...words: readonly string[]) =>
    (await bench.run(...words)).lines.slice(1).map((line) => line.split(" ")[0]);
  expect(await firsts("models", "--sort=-input_usd_per_million")).toEqual(["one/dear", "one/cheap"]);
  expect(await firsts("models", "--sort", "id")).toEqual(["one/cheap", "one/dear"]);
  expect(await firsts("provider", "list")).toEqual(["one", "idle"]);
  expect(await firsts("provider", "list", "--sort", "name")).toEqual(["idle", "one"]);
  expect(await firsts("provider", "list", "--sort=-kind")).toEqual(["one", "idle"]);
  expect(await firsts("provider", "list", "--search", "ON")).toEqual(["one"]);
  for (const words of [
    ["models", "--sort", "colour"],
    ["provider", "list", "--sort", "colour"],
  ])
    expect((await bench.run(...words)).status).toBe(EXIT.usage);
});
