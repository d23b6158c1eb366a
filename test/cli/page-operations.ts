import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

const OPERATION = /^"((?:GET|POST|PUT|PATCH|DELETE) \/[^"\\]*)"/;
/** Where a request is made that is no `call`, and how its operations are written there. */
const OWN_REQUESTS = new Map([
  ["lib/api.ts", undefined],
  ["lib/follow-events.ts", { verb: "GET", paths: /fetch\("(\/[^"]*)"/g }],
  ["features/providers/try/ask-gateway.ts", undefined],
  ["features/providers/try/gateway-request.ts", { verb: "POST", paths: /: "(\/v1[^"]*)"/g }],
]);
/** What asks a server anything in a browser, `call` and `download` aside. */
const OTHER_WAYS = /\b(fetch|XMLHttpRequest|EventSource|WebSocket|WebTransport|sendBeacon|serviceWorker)\b/;

/** What a test reads of the dashboard: the path below web/, with its text. */
export type Sources = ReadonlyMap<string, string>;

/** Every source of the dashboard in `directory`. */
export function pageSources(directory: string): Sources {
  const floors = ["app", "components", "features", "lib"];
  const names = floors.flatMap((floor) =>
    readdirSync(path.join(directory, floor), { recursive: true, encoding: "utf8" })
      .filter((name) => /(?<!\.test)\.tsx?$/.test(name))
      .map((name) => `${floor}/${name.split(path.sep).join("/")}`),
  );
  return new Map(names.map((name) => [name, readFileSync(path.join(directory, name), "utf8")]));
}

/**
 * Every operation that the pages ask for, as `GET /path/{name}`. Throws where one cannot be read: a `call` without the
 * literal name of its operation, one in a file of components, or another way to a server.
 */
export function pageOperations(sources: Sources): string[] {
  const found = [...sources].flatMap(([file, text]) => {
    const code = withoutComments(text);
    const calls = asksByCall(file, code) ? callsIn(file, code) : [];
    return [...calls, ...ownRequestsIn(file, code)];
  });
  return [...new Set(found)].toSorted();
}

function asksByCall(file: string, code: string): boolean {
  if (file === "lib/api.ts" || !/["'/]api\.ts["']/.test(code)) return false;
  if (file.endsWith(".tsx")) throw new Error(`${file}: operations are asked for in api/, not by components`);
  return true;
}

function callsIn(file: string, code: string): string[] {
  const imports = /\bimport\b[^;]*;/g;
  if (/\bas\s+\w+[^;]*\bfrom\s+["'][^"']*\/api\.ts["']/.test(code))
    throw new Error(`${file}: call has another name here`);
  const uses = code.replaceAll(imports, "").matchAll(/\b(?:call|download)\b/g);
  const rest = code.replaceAll(imports, "");
  return [...uses].map(({ index, 0: name }) => {
    const after = rest.slice(index + name.length);
    const [, operation] = OPERATION.exec(after.replace(/^\s*\(\s*/, "")) ?? [];
    if (operation === undefined || !/^\s*\(/.test(after))
      throw new Error(`${file}: ${name} without the literal name of an operation`);
    return operation;
  });
}

function ownRequestsIn(file: string, code: string): string[] {
  const [, way] = OTHER_WAYS.exec(code) ?? [];
  if (way !== undefined && !OWN_REQUESTS.has(file)) throw new Error(`${file}: ${way} goes around call`);
  const own = OWN_REQUESTS.get(file);
  if (own === undefined) return [];
  const found = [...code.matchAll(own.paths)].map(([, url]) => `${own.verb} ${url}`);
  if (found.length === 0) throw new Error(`${file}: no operation is found in it any more`);
  return found;
}

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
}
