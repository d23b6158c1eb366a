import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { EXIT } from "#cli/exit-codes.ts";
import { systemRandom } from "#platform/lib/random.ts";
import { startClaviger, type TestClaviger } from "../claviger.ts";
import { newPin, startMember } from "../cluster/member.ts";
import { describe } from "../openapi/description.ts";
import { codeOf, firstPerson, freshPassword } from "../people/person.ts";
import { claviger, Program, scratch } from "../start/process.ts";
import { atTerminal } from "../system/terminal.ts";
import { startUpstream, UPSTREAM_MODEL } from "../upstream.ts";
import { pageOperations, pageSources } from "./page-operations.ts";
import { Reach } from "./reach.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const MINUTES = { timeout: 500_000 };
/** With a provider whose secret is set by name. */
const YAML = `resources:
  filed:
    resource_type: Provider
    kind: openai
    base_url: http://127.0.0.1:9/v1
    credential: { secret: filed }
`;

test(
  "[D4] every operation that a page asks for is in the API's description, and a command reaches it or what stands in for it",
  MINUTES,
  async () => {
    using place = scratch();
    await using server = await startClaviger({ yaml: YAML });
    const reach = new Reach();
    await reachOwnThings(reach, server, place.root);
    await reachProviders(reach, server);
    await reachServerKey(reach, place.root);
    await reachCluster(reach, server);
    const reached = reach.operations;
    const standingIn = readStandingIn(readFileSync(path.join(ROOT, "docs/dashboard.md"), "utf8"));
    const asked = pageOperations(pageSources(path.join(ROOT, "web")));
    expect(asked.length).toBeGreaterThan(60);
    const described = (await describe(server)).operations.map(({ name }) => name);
    expect(asked.filter((operation) => !described.includes(operation))).toEqual([]);
    const unreached = asked.filter((operation) => !reached.has(operation));
    expect(unreached).toEqual([...standingIn.keys()].toSorted());
    for (const instead of [...standingIn.values()].flat()) expect(reached).toContain(instead);
  },
);

test("[D4] an operation that cannot be read from a page's source is refused", () => {
  const file = "features/keys/api/planted.ts";
  const head = 'import { call } from "#lib/api.ts";\n';
  const read = (text: string, name = file) => pageOperations(new Map([[name, text]]));
  expect(read(`${head}call(\n  "GET /api/v1/keys")`)).toEqual(["GET /api/v1/keys"]);
  for (const text of ["call(name)", "call(`GET /api`)", "const ask = call;", 'call("keys")', "[call]"])
    expect(() => read(`${head}${text}`)).toThrow("literal name");
  expect(() => read('import { call as ask } from "#lib/api.ts"; ask(name)')).toThrow("another name");
  expect(() => read(head, "features/keys/planted.tsx")).toThrow("not by components");
  for (const text of ['fetch("/api/v1/keys")', 'new EventSource("/sse")', "navigator.sendBeacon(url)"])
    expect(() => read(text)).toThrow("goes around call");
});

/** Keys, people, settings, figures and records. */
async function reachOwnThings(reach: Reach, server: TestClaviger, directory: string): Promise<void> {
  const secret = `${freshPassword()}\n`;
  await reach.byRows(server, [
    [["POST /keys"], ["api-key", "create", "app"]],
    [["GET /keys"], ["api-key", "list"]],
    [["PATCH /keys/{id}"], ["api-key", "update", "app", "--concurrency", "4"]],
    [["POST /keys/{id}/rotate"], ["api-key", "rotate", "app", "--overlap", "1m"]],
    [["DELETE /keys/{id}"], ["api-key", "revoke", (await server.issueKey("gone")).id]],
    [["POST /users"], ["user", "add", "maria"], secret],
    [["GET /users"], ["user", "list"]],
    [["PATCH /users/{id}"], ["user", "permissions", "maria", "gateway"]],
    [["PUT /users/{id}/password"], ["user", "passwd", "maria"], secret],
    [["GET /identities"], ["config", "identities"]],
    [["GET /permission-sets"], ["config", "permission-sets"]],
    [["GET /settings"], ["config", "show"]],
    [["POST /config/reload"], ["config", "reload"]],
    [["GET /listeners"], ["config", "listeners"]],
    [["GET /openapi.json"], ["config", "openapi"]],
    [["GET /usage"], ["usage"]],
    [["GET /overview"], ["usage", "overview"]],
    [["GET /overview/top"], ["usage", "top"]],
    [["GET /requests"], ["usage", "requests"]],
    [["GET /requests/principals"], ["usage", "requests", "--key", "app"]],
    [["GET /audit"], ["audit", "export"]],
    [["GET /audit/chain"], ["audit", "chain"]],
    [["POST /backup"], ["backup", path.join(directory, "closed"), "--password"], secret],
  ]);
  const factor = ["POST /api/v1/users/{id}/second-factor", "POST /api/v1/users/{id}/second-factor/confirm"];
  await reach.by(server, factor, async () => {
    await using program = new Program(["user", "add-second-factor", "maria"], { DATA_DIR: server.dataDir });
    const [, seed = ""] = await program.says(/\?secret=([A-Z2-7]{32})&/);
    program.child.stdin?.end(`${codeOf(seed, Date.now())}\n`);
    expect((await program.ended).status).toBe(0);
  });
  await reach.byRows(server, [
    [["DELETE /users/{id}/second-factor"], ["user", "drop-second-factor", "maria"]],
    [["DELETE /users/{id}"], ["user", "remove", "maria"]],
  ]);
}

/** Providers and models, and the line that asks one, as `connect` prints it. */
async function reachProviders(reach: Reach, server: TestClaviger): Promise<void> {
  await using upstream = await startUpstream({ listsApart: true });
  const add = (name: string, kind: string, baseUrl: string) => [
    ...["provider", "add", name, "--kind", kind, "--base-url", baseUrl],
  ];
  const credential = `${systemRandom.bytes(16).toString("hex")}\n`;
  await reach.byRows(server, [
    [["POST /providers"], add("sim", "openai-compatible", upstream.baseUrl), credential],
    [["GET /providers"], ["provider", "list"]],
    [["GET /providers/{name}"], ["provider", "show", "sim"]],
    [["PATCH /providers/{name}"], ["provider", "edit", "sim", "--idle-timeout", "9000"]],
    [["POST /providers/{name}/test"], ["provider", "test", "sim"]],
    [["GET /credentials", "PUT /credentials/{name}"], ["provider", "set-credential", "filed"], credential],
    [["GET /models"], ["models"]],
  ]);
  const { key } = await server.issueKey("asks");
  await reach.by(server, ["POST /v1/chat/completions"], async () => {
    const words = ["connect", "sim", "--tool", "curl", "--model", `sim/${UPSTREAM_MODEL}`];
    const { stdout } = await claviger(words, { env: { DATA_DIR: server.dataDir } });
    const [command = ""] = /^curl [\s\S]*?(?=\n\n)/m.exec(stdout) ?? [];
    const shell = spawn("sh", ["-c", command.replace(/Bearer [^'"]+/, `Bearer ${key}`)]);
    expect(await once(shell, "exit")).toEqual([0, null]);
  });
  await reach.byRows(server, [[["DELETE /providers/{name}"], ["provider", "remove", "sim"]]]);
}

/** The server key, and the lock of all nodes. */
async function reachServerKey(reach: Reach, directory: string): Promise<void> {
  await using own = await startClaviger();
  const [first, next] = [freshPassword(), freshPassword()];
  const keyFile = path.join(directory, "key");
  writeFileSync(keyFile, (await own.issueKey("looks", ["superadmin"])).key, { mode: 0o400 });
  await reach.byRows(own, [
    [["GET /key/status"], ["key", "status"]],
    [["POST /key/initialize"], ["key", "init"], `${first}\n`],
    [["GET /key/details"], ["key", "show"]],
    [["POST /key/rotate"], ["key", "rotate"], `${first}\n${next}\n`],
    [["GET /key/reseal"], ["key", "status", "--watch"]],
    [["DELETE /key/recovery"], ["key", "recovery", "revoke"]],
    [["GET /backup"], ["backup", path.join(directory, "open")]],
    [["POST /key/lock"], ["key", "lock"]],
  ]);
  // Locked, it tells who comes over the network no more than that.
  await reach.by(own, ["GET /api/v1/info"], async () => {
    const { status } = await claviger(["status", "--url", own.url, "--api-key-file", keyFile]);
    expect(status).toBe(EXIT.tryAgain);
  });
  await reach.byRows(own, [
    [["POST /key/unlock"], ["key", "unlock"], `${next}\n`],
    [["POST /cluster/init"], ["cluster", "init"], `${newPin()}\n`],
    [["POST /cluster/lock"], ["cluster", "lock"]],
  ]);
}

/** The cluster, and the first steps, which are done by then. */
async function reachCluster(reach: Reach, server: TestClaviger): Promise<void> {
  const pin = newPin();
  const { claviger: member, url } = await startMember(pin);
  await using _member = member;
  const name = "attic";
  await reach.byRows(server, [
    [["POST /cluster/init"], ["cluster", "init"], `${pin}\n`],
    [["POST /cluster/leave"], ["cluster", "leave", "--yes"]],
    [["POST /cluster/join"], ["cluster", "join", url], `${pin}\n`],
    [
      ["GET /cluster", "GET /nodes"],
      ["cluster", "status"],
    ],
    [["POST /cluster/open"], ["cluster", "open"]],
    [["POST /cluster/rename"], ["cluster", "rename", name]],
  ]);
  const nodes = (await server.control({ path: "/api/v1/nodes" })).json;
  const { data }: { data: { name: string }[] } = JSON.parse(JSON.stringify(nodes));
  const other = data.find((node) => node.name !== name)?.name ?? "";
  await reach.byRows(server, [[["DELETE /nodes/{id}"], ["cluster", "remove", other]]]);
  await firstPerson(server);
  const body = { key: freshPassword() };
  const set = await server.control({ method: "POST", path: "/api/v1/key/initialize", body });
  expect(set.status).toBe(200);
  await reach.by(server, ["GET /api/v1/first-run", "PUT /api/v1/first-run"], async () => {
    const { status, shown } = await atTerminal(["setup", "--data-dir", server.dataDir], []);
    expect([status, shown]).toEqual([0, shown]);
  });
}

/** The table of docs/dashboard.md: the operation of a page -> the operations of the commands that stand in for it. */
function readStandingIn(text: string): ReadonlyMap<string, readonly string[]> {
  const rows = text.matchAll(/^\| `((?:GET|POST|PUT|PATCH|DELETE) [^`]+)` \|([^|]*)\|([^|]*)\|$/gm);
  return new Map(
    [...rows].map(([, operation = "", , why = ""]) => [
      operation,
      [...why.matchAll(/`((?:GET|POST|PUT|PATCH|DELETE) [^`]+)`/g)].map(([, each = ""]) => each),
    ]),
  );
}
