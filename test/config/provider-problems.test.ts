import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { startFileBench } from "../reload/file.ts";
import { claviger, scratch } from "../start/process.ts";
import { declared, problemsOf } from "./declare.ts";

vi.setConfig({ testTimeout: 60_000 });

const provider = (rest: string) => `resources:\n  up: {resource_type: Provider, ${rest}}\n`;
const at = (url: string) => provider(`kind: openai-compatible, base_url: "${url}"`);
const LISTENER = { resource_type: "HttpServer", listen_addr: "127.0.0.1:0", auth: ["keys"] };

const OWN = ["JWT_SECRET", "API_KEY_SECRET", "INITIAL_PASSWORD"];
const OWN_SECRETS = [
  ...OWN,
  ...OWN.map((name) => `CLAVIGER_${name}`),
  "CLAVIGER_SERVER_KEY",
  "CLAVIGER_DATABASE_URL",
  "CLAVIGER_REDIS_URL",
];

test.each(
  OWN_SECRETS.flatMap((name) => [name, `${name}_FILE`]),
)("[I16] a provider's credential must not be the server's own %s", (name) => {
  const problem = `${name} holds a secret of this server itself, which must not be sent to an upstream; name another variable`;
  expect(problemsOf(provider(`kind: openai, credential: {env: ${name}}`))).toEqual([`2:65: ${problem}`]);
  const second = provider(`kind: openai, credentials: [{env: LAB_KEY}, {env: ${name}}]`);
  expect(problemsOf(second)).toEqual([`2:83: ${problem}`]);
});

test("[I16] any other variable may hold it", () => {
  for (const name of ["OPENAI_API_KEY", "CLAVIGER_LAB_KEY", "DATABASE_URL", "MY_JWT_SECRET", "SERVER_KEY"]) {
    const { providers } = declared(provider(`kind: openai, credential: {env: ${name}}`));
    expect(providers[0]?.credentials).toEqual([{ env: name }]);
  }
});

test.each([
  ["http://169.254.169.254/v1", "the address is a cloud's metadata service"],
  ["http://[fd00:ec2::254]/v1", "the address is a cloud's metadata service"],
  ["http://2852039166/v1", "the address is a cloud's metadata service"],
  ["http://169.254.7.7/v1", "link-local"],
  ["http://metadata.google.internal/v1", "the name is a cloud's metadata service"],
  ["http://224.0.0.1/v1", "multicast"],
  ["http://0.0.0.0:1/v1", "0.0.0.0"],
  ["https://a.example\\\\@b.example/v1", "A URL must not hold white space"],
])("[I16] [N6] a base_url that is never connected to is a problem of the file: %s", (url, words) => {
  const found = problemsOf(at(url));
  expect(found).toHaveLength(1);
  expect(found[0]).toMatch(/^2:68: /);
  expect(found[0]?.toLowerCase()).toContain(words.toLowerCase());
});

test("[I16] [N6] so is a proxy, beside whatever else is wrong with the provider", () => {
  const text = provider(
    'kind: openai, base_url: "http://169.254.169.254/v1", options: {proxy: "http://169.254.169.254:3128", methods: [GET]}, credential: {env: JWT_SECRET}',
  );
  expect(problemsOf(text).map((problem) => problem.slice(0, 6))).toEqual([
    "2:57: ",
    "2:95: ",
    "2:103:",
    "2:169:",
  ]);
});

test("[I16] what only the network can tell is no problem of the file", () => {
  for (const url of ["http://127.0.0.1:1/v1", "http://10.0.0.1/v1", "https://nowhere.invalid/v1"])
    expect(problemsOf(at(url)), url).toEqual([]);
});

test("[I1] [I16] config check names the place, with status 78; a reload is refused in the same words", async () => {
  const url = "http://169.254.169.254/v1";
  using place = scratch();
  await using bench = await startFileBench((sim) => ({ sim, front: LISTENER }));
  const file = join(bench.claviger.dataDir, "given.yaml");
  const resources = { sim: { ...bench.provider, base_url: url }, front: LISTENER };
  bench.write(resources);
  const checked = await claviger(["config", "check", file], { env: { DATA_DIR: place.path } });
  expect(checked.status).toBe(78);
  const [problem = ""] = /given\.yaml:\d+:\d+: .*$/m.exec(checked.stderr) ?? [];
  expect(problem).toContain("This server does not connect there");
  const refused = await bench.reload();
  expect(refused.text).toContain(problem);
  expect((await bench.claviger.control({ path: "/api/v1/providers/sim" })).text).toContain(
    bench.upstream.baseUrl,
  );
  writeFileSync(file, "");
});
