import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { importsOf, type Violation } from "./layering.ts";

/** From below to above; what is not in one of them is the package's own configuration. */
const FLOORS = ["lib", "components", "features", "app"];
/** Who is there: the one feature that the others build on. */
const SHARED_FEATURE = "session";

/** Everything in `files` (path below web/, with `/` -> text) that breaks the rules of the dashboard's tree. */
export function checkWebLayering(files: ReadonlyMap<string, string>): Violation[] {
  return [...files].flatMap(([file, source]) =>
    importsOf(source).flatMap(({ line, name }) => {
      const rule = checkImport(file, name);
      return rule === undefined ? [] : [{ file: `web/${file}`, line, rule }];
    }),
  );
}

function checkImport(file: string, name: string): string | undefined {
  // A picture depends on nothing.
  if (!/^[#.]/.test(name) || name.endsWith(".svg")) return undefined;
  const target = name.startsWith("#")
    ? name.slice(1)
    : path.posix.join(path.posix.dirname(file), name.replace(/\?.*$/, ""));
  const [from = "", feature] = file.split("/");
  const [to = "", other = ""] = target.split("/");
  if (target.startsWith("..")) return `${target} is outside the dashboard`;
  if (!FLOORS.includes(to)) return target === "pages.json" ? undefined : `${target} is on none of the floors`;
  if (FLOORS.indexOf(to) > FLOORS.indexOf(from)) return `${from} must not import ${to}`;
  if (from !== "features" || to !== "features" || other === feature) return undefined;
  return other === SHARED_FEATURE ? undefined : `features do not import each other: ${feature}, ${other}`;
}

if (import.meta.main) {
  const root = path.resolve(process.argv[2] ?? path.join(import.meta.dirname, ".."), "web");
  const floors = FLOORS.filter((floor) => existsSync(path.join(root, floor)));
  const names = floors.flatMap((floor) =>
    readdirSync(path.join(root, floor), { recursive: true, encoding: "utf8" })
      .filter((name) => /\.tsx?$/.test(name))
      .map((name) => `${floor}/${name.split(path.sep).join("/")}`),
  );
  const violations = checkWebLayering(
    new Map(names.map((name) => [name, readFileSync(path.join(root, name), "utf8")])),
  );
  for (const { file, line, rule } of violations) console.log(`${file}:${line}: ${rule}`);
  if (names.length === 0) console.log(`${root}: holds no source to check`);
  if (violations.length > 0 || names.length === 0) process.exitCode = 1;
}
