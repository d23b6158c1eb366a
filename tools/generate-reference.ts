/** Writes the reference pages and the manual page from the code's own tables; with `--check` only says which is stale. */
import { existsSync, mkdtempDisposableSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { startApp } from "#app";
import { treeOf } from "#cli/command-tree.ts";
import { EXIT, EXIT_MEANINGS } from "#cli/exit-codes.ts";
import { manualPage } from "#cli/manual-page.ts";
import { createOutput } from "#cli/output.ts";
import { createProgram } from "#cli/program.ts";
import { ACTIONS, type Action, PERMITS, TARGETED_ACTIONS } from "#gates/access/action.ts";
import { allowsSome, permissionSets, setsNamed } from "#gates/access/index.ts";
import { BUILT_IN } from "#gates/access/permission-set.ts";
import { loadConfig } from "#platform/config/load.ts";
import type { HttpServer } from "#platform/http/server.ts";
import { ERRORS } from "#platform/lib/error.ts";
import { readDeclared } from "../src/app/declared/declared.ts";

const PAGES = [
  { file: "docs/errors.md", text: renderErrors() },
  { file: "docs/permissions.md", text: renderPermissions(await routesOfServer()) },
  { file: "docs/exit-codes.md", text: renderExitCodes() },
  { file: "docs/man/claviger.1", text: manualPage(treeOf(commands())) },
];

for (const { file, text } of PAGES) {
  const target = path.join(import.meta.dirname, "..", file);
  if (!process.argv.includes("--check")) writeFileSync(target, text);
  else if (!existsSync(target) || readFileSync(target, "utf8") !== text) {
    console.error(`${file} is stale: node tools/generate-reference.ts`);
    process.exitCode = 1;
  }
}

function commands(): ReturnType<typeof createProgram> {
  const { stdout, stderr } = process;
  const output = () => createOutput({ stdout, stderr, json: false, noColor: true });
  return createProgram({ env: {}, homeDir: "/nonexistent", server: {}, output, setExit: () => {} });
}

function renderErrors(): string {
  const rows = Object.entries(ERRORS).map(
    ([code, { status, title }]) => `| \`${code}\` | ${status} | ${title} |`,
  );
  return page("Errors", "src/platform/lib/error.ts", [
    "On `/api` an error is `application/problem+json` (RFC 9457) with the `code` below. On the gateway it has the shape of",
    "the caller's dialect: in OpenAI's the code is `error.code`, in Anthropic's",
    "`error.details.error_code`. Every answer bears `x-request-id`, in Anthropic's dialect also `request-id`, which the",
    "access log and the request log name as well.",
    "",
    "| Code | Status | Title |",
    "| --- | --- | --- |",
    ...rows,
  ]);
}

function renderPermissions(routes: ReturnType<HttpServer["routes"]>): string {
  const actions = ACTIONS.map(
    (action) => `| \`${action}\` | ${PERMITS[action]} | ${patternOf(action)} | ${holders(action)} |`,
  );
  return page("Permissions", "src/gates/access/ and the routes of a server", [
    "A permission set lists what is allowed; nothing is by default. A rule is `action` or `action:pattern`, where `*`",
    "stands for any run of characters, in the action too, and a pattern is matched whole. `deny` wins over `allow`, and",
    "order never matters. A key names one or more sets, and nobody hands out more than what he holds himself.",
    "A set that is taken out of the file leaves its holders with nothing; as it may come back, only who holds everything",
    "changes such a key or user. Revoking and removing is for everybody who manages them.",
    "Members of the cluster, who share one token, hold the set `member`; to give them more or less, declare a set of that",
    "name in `claviger.yaml`, which takes the place of the built-in one: `permissions: full` gives them everything.",
    "",
    "## Actions",
    "",
    "| Action | Permits to | A pattern is matched against | Built-in sets that hold it |",
    "| --- | --- | --- | --- |",
    ...actions,
    "",
    "## Routes",
    "",
    "Without a valid credential every route but the open ones answers 401, without its action 403. Where a route is",
    "about one thing, the pattern must match its name too, else it is 403; of a model or a published API 404, as if it were",
    "not there, unless `models.read` shows it to the caller. Lists leave out what does not match.",
    "",
    "| Route | Action |",
    "| --- | --- |",
    ...routeRows(routes),
  ]);
}

/** One row for each path and action, its methods together in the order they were declared. */
function routeRows(routes: ReturnType<HttpServer["routes"]>): string[] {
  const rows = new Map<string, string[]>();
  for (const { method, path: at, contract } of routes) {
    const key = `${contract?.path ?? at}\` | ${contract?.action === "open" ? "open" : `\`${contract?.action}\``} |`;
    rows.set(key, [...(rows.get(key) ?? []), method]);
  }
  return [...rows].map(([key, methods]) => `| \`${methods.join(", ")} ${key}`);
}

function renderExitCodes(): string {
  const meanings = new Map(Object.entries(EXIT_MEANINGS));
  const rows = Object.entries(EXIT).map(
    ([name, status]) => `| ${status} | \`${name}\` | ${meanings.get(name) ?? ""} |`,
  );
  return page("Exit statuses", "src/cli/exit-codes.ts", [
    "Every `claviger` command ends with one of these. They are part of the interface: a script may rely on them. From 64 up",
    "they follow sysexits(3). With `--json` a problem is one line on stderr,",
    '`{"error":{"message","exit_code","code"?,"repair"?,"problems"?}}`, and stdout stays empty.',
    "",
    "| Status | Name | Meaning |",
    "| --- | --- | --- |",
    ...rows,
    "",
    "A second stop signal while `serve` drains ends it at once with 128 and the signal's number (SIGINT 130, SIGTERM 143).",
    "A store that cannot be read for a reason of the system, not of its contents, is 74.",
  ]);
}

/** The routes a server has, asked of one that is started for it on an empty directory. */
async function routesOfServer(): Promise<ReturnType<HttpServer["routes"]>> {
  using directory = mkdtempDisposableSync(path.join(tmpdir(), "claviger-reference-"));
  const flags = { dataDir: directory.path, listen: ["127.0.0.1:0"], settings: { workers: "1" } };
  const config = loadConfig({ flags, env: {}, homeDir: directory.path, resources: readDeclared });
  // Whether a dashboard is built must not show.
  await using app = await startApp(config, { logSink: { write: () => {} }, dashboardDir: directory.path });
  return app.routes();
}

function patternOf(action: Action): string {
  if (!TARGETED_ACTIONS.has(action)) return "–";
  return action === "gateway.use" || action === "models.read"
    ? "`provider/model` or `x/NAME`"
    : "the resource's name";
}

function holders(action: Action): string {
  const { sets } = permissionSets({});
  const names = Object.keys(BUILT_IN).filter((name) => allowsSome(setsNamed([name], sets), action));
  return names.map((name) => `\`${name}\``).join(", ");
}

function page(title: string, source: string, body: readonly string[]): string {
  const head = [`# ${title}`, "", `<!-- Generated by tools/generate-reference.ts from ${source}. -->`, ""];
  return `${[...head, ...body].join("\n")}\n`;
}
