import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";

/** One import or use that the architecture forbids. */
export type Violation = { file: string; line: number; rule: string };

const WINGS = ["platform", "gates", "vault", "identity", "services", "app", "cli", "main"];
const PLATFORM_FLOORS: Record<string, number> = { lib: 0, http: 2 };
const CRYPTO = /^src\/(platform\/(lib|tls)|gates\/audit|vault|identity|services\/(mitm|cluster))\//;
const STORE = /^src\/platform\/storage\/|\/store\.ts$/;
const MAX_INDEX_NAMES = 10;

/** Everything in `files` (path below the root, with `/` -> text) that breaks the rules of the tree. */
export function checkLayering(files: ReadonlyMap<string, string>): Violation[] {
  const violations: Violation[] = [];
  const edges = new Map<string, Map<string, Violation>>();
  for (const [file, source] of files) {
    const text = blankComments(source);
    const report = (at: number, rule: string) =>
      violations.push({ file, line: text.slice(0, at).split("\n").length, rule });
    checkUses(file, text, report);
    for (const { at, name, ofTypes } of findImports(text)) {
      if (name === "node:http" && !ofTypes)
        report(at, "node:http by platform/http/node-http.ts, but for its types");
      const rule = checkPackage(file, name) ?? checkTarget(file, targetOf(file, name));
      if (rule !== undefined) report(at, rule);
      addEdge(edges, file, targetOf(file, name), text.slice(0, at).split("\n").length);
    }
  }
  return [...violations, ...findCycles(edges)];
}

/** The non-test TypeScript files below `root`/src, as `checkLayering` takes them. */
export function readSources(root: string): Map<string, string> {
  const names = readdirSync(path.join(root, "src"), { recursive: true, encoding: "utf8" });
  const sources = names.filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts")).sort();
  return new Map(
    sources.map((name) => [
      `src/${name.split(path.sep).join("/")}`,
      readFileSync(path.join(root, "src", name), "utf8"),
    ]),
  );
}

/** What a source imports, each with its line. */
export function importsOf(source: string): { line: number; name: string }[] {
  const text = blankComments(source);
  return findImports(text).map(({ at, name }) => ({ line: text.slice(0, at).split("\n").length, name }));
}

type Report = (at: number, rule: string) => void;

function checkUses(file: string, text: string, report: Report): void {
  const code = blankStrings(text);
  if (!file.startsWith("src/platform/config/"))
    for (const use of code.matchAll(/\bprocess\s*\.\s*env\b|\benv\b[^;{}]*}\s*=\s*process\b/g))
      report(use.index, "process.env only in platform/config");
  if (file !== "src/cli/output.ts")
    for (const use of code.matchAll(/(?<![.\w$])console\s*[.[]/g))
      report(use.index, "console only in cli/output.ts");
  if (file.endsWith("/index.ts")) checkDoor(code, report);
}

function checkDoor(code: string, report: Report): void {
  const lists = [...code.matchAll(/\bexport\s+(?:type\s+)?{([^}]*)}/g)];
  const listed = lists.flatMap((list) => (list[1] ?? "").split(",").filter((name) => name.trim() !== ""));
  const declared = code.match(
    /\bexport\s+(?:default|(?:abstract\s+|async\s+)*(?:const|let|function|class|type|interface)\b\s*[\w$*])/g,
  );
  const wildcard = code.search(/\bexport\s*\*/);
  if (wildcard !== -1) report(wildcard, "index.ts names what it exports: no export *");
  const count = listed.length + (declared?.length ?? 0);
  if (count > MAX_INDEX_NAMES) report(0, `index.ts exports ${count} names, at most ${MAX_INDEX_NAMES}`);
}

function findImports(text: string): { at: number; name: string; ofTypes: boolean }[] {
  const pattern = /(?:\b(?:import|export)\b[\w\s{},*$]*?\bfrom\s*|\bimport\s*\(?\s*)(["'`])([^"'`\n]+)\1/g;
  return [...text.matchAll(pattern)].map((found) => ({
    at: found.index,
    name: found[2] ?? "",
    ofTypes: /^(import|export)\s+type\b/.test(found[0]),
  }));
}

function checkPackage(file: string, name: string): string | undefined {
  const isFrom = (part: string) => name === part || name.startsWith(`${part}/`);
  const inStorage = file.startsWith("src/platform/storage/");
  if ((name === "node:crypto" || name === "crypto") && !CRYPTO.test(file))
    return "node:crypto only where cryptography lives";
  if (["node:sqlite", "pg"].some(isFrom) && !inStorage) return `${name} only in platform/storage`;
  if (isFrom("kysely") && !STORE.test(file)) return "kysely only in platform/storage and store.ts";
  if (name === "process" || name === "node:process")
    return "process is taken as the global, so that its use is seen";
  return undefined;
}

function targetOf(file: string, name: string): string | undefined {
  if (name.startsWith("#")) return name === "#app" ? "src/app.ts" : `src/${name.slice(1)}`;
  return name.startsWith(".") ? path.posix.join(path.posix.dirname(file), name) : undefined;
}

function placeOf(file: string): { wing: string; room: string } {
  const [, wing = "", room = ""] = file.split("/");
  return { wing: wing.replace(/\.ts$/, ""), room: room.replace(/\.ts$/, "") };
}

function checkTarget(file: string, target: string | undefined): string | undefined {
  if (target === undefined) return undefined;
  const from = placeOf(file);
  const to = placeOf(target);
  if (!WINGS.includes(from.wing)) return `src/${from.wing} is no wing`;
  if (file === "src/platform/lib/version.ts" && target === "package.json") return undefined;
  if (!target.startsWith("src/") || !WINGS.includes(to.wing)) return `${target} is outside the wings of src`;
  if (from.wing === "main") return to.wing === "cli" ? undefined : "src/main.ts imports only cli";
  if (WINGS.indexOf(to.wing) > WINGS.indexOf(from.wing)) return `${from.wing} must not import ${to.wing}`;
  if (to.wing === "platform") return from.wing === "platform" ? checkFloor(from.room, to.room) : undefined;
  if (from.wing === to.wing && (from.room === to.room || from.wing === "cli")) return undefined;
  if (from.wing === "services" && to.wing === "services") return "services rooms do not import each other";
  const isDoor = to.wing === "app" || target === `src/${to.wing}/${to.room}/index.ts`;
  return isDoor ? undefined : `${to.wing}/${to.room} is entered only by its index.ts`;
}

function checkFloor(from: string, to: string): string | undefined {
  const isAbove = (PLATFORM_FLOORS[to] ?? 1) > (PLATFORM_FLOORS[from] ?? 1);
  return isAbove ? `platform/${from} must not import platform/${to}` : undefined;
}

type Edges = Map<string, Map<string, Violation>>;

function addEdge(edges: Edges, file: string, target: string | undefined, line: number): void {
  if (target === undefined) return;
  const from = placeOf(file);
  const to = placeOf(target);
  if (from.wing !== to.wing || from.room === to.room || !["gates", "vault", "identity"].includes(from.wing))
    return;
  const fromRoom = `${from.wing}/${from.room}`;
  const outgoing = edges.get(fromRoom) ?? new Map<string, Violation>();
  const toRoom = `${to.wing}/${to.room}`;
  outgoing.set(toRoom, { file, line, rule: `cycle between ${fromRoom} and ${toRoom}` });
  edges.set(fromRoom, outgoing);
}

function findCycles(edges: Edges): Violation[] {
  const reaches = (from: string, goal: string, seen: Set<string>): boolean => {
    if (from === goal) return true;
    if (seen.has(from)) return false;
    seen.add(from);
    return [...(edges.get(from)?.keys() ?? [])].some((next) => reaches(next, goal, seen));
  };
  return [...edges].flatMap(([from, outgoing]) =>
    [...outgoing].filter(([to]) => reaches(to, from, new Set())).map(([, violation]) => violation),
  );
}

const TOKENS = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\[\s\S]|[^`\\])*`/g;

function blankComments(text: string): string {
  return text.replace(TOKENS, (token) => (token.startsWith("/") ? blank(token) : token));
}

// A template keeps its text: code may stand in its ${}.
function blankStrings(text: string): string {
  return text.replace(TOKENS, (token) => (token.startsWith("`") ? token : blank(token)));
}

function blank(token: string): string {
  return token.replace(/[^\n]/g, " ");
}

if (import.meta.main) {
  const root = path.resolve(process.argv[2] ?? path.join(import.meta.dirname, ".."));
  const sources = existsSync(path.join(root, "src")) ? readSources(root) : new Map<string, string>();
  const violations = checkLayering(sources);
  for (const { file, line, rule } of violations) console.log(`${file}:${line}: ${rule}`);
  if (sources.size === 0) console.log(`${root}: holds no source to check`);
  if (violations.length > 0 || sources.size === 0) process.exitCode = 1;
}
