/*
 * `npm run build`: the server as it is shipped, in dist/. `dist/claviger.js` does what src/main.ts does and needs
 * Node.js and the packages of EXTERNAL beside it, nothing else. `npm run build -- DIRECTORY` writes elsewhere.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { isBuiltin } from "node:module";
import path from "node:path";
import { build, type Plugin } from "esbuild";

const ROOT = path.resolve(import.meta.dirname, "..");
const SOURCES = path.join(ROOT, "src");

/** Packages with a part made for one processor and system, which cannot go into a file of JavaScript. */
const EXTERNAL = ["@node-rs/*"];

/** What the framework loads for schemas and calls in its own way, of which the server has others: half of its size. */
const UNUSED = /^(@fastify\/ajv-compiler|@fastify\/fast-json-stringify-compiler|light-my-request)$/;

/** How a source names a file that is to run as a program or thread of its own. */
const OWN_FILE = /new URL\(\s*"(\.[^"]+)\.ts",\s*import\.meta\.url,?\s*\)/g;

/** How the server names the built dashboard; in the bundle it lies in `web/`. */
const DASHBOARD = /new URL\(\s*"[./]+\/web\/dist\/",\s*import\.meta\.url,?\s*\)/g;

/** Packages that are CommonJS ask for Node's own modules by `require`, which a module does not have by itself. */
const BANNER = `import { createRequire as __createRequire } from "node:module";
const require = __createRequire(import.meta.url);`;

/**
 * Bundles src/main.ts and the built dashboard into `directory`, which is emptied first, and gives the packages that stay
 * outside. Throws when esbuild finds an error or a doubt, or when no dashboard is built.
 */
export async function bundle(directory: string, dashboard = path.join(ROOT, "web/dist")): Promise<string[]> {
  if (!existsSync(path.join(dashboard, "index.html")))
    throw new Error(`no dashboard is built in ${dashboard}; run: npm run build:web`);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  cpSync(dashboard, path.join(directory, "web"), { recursive: true });
  const [server, threads] = await Promise.all([
    bundlePart(directory, { claviger: path.join(SOURCES, "main.ts") }),
    bundleThreads(directory),
  ]);
  return [...new Set([...server, ...threads])].sort();
}

/**
 * Bundles what runs as a thread of its own into `directory`, each by itself, with what it uses alone: pieces that it shared with
 * the server it would have to load whole. Gives the packages that stay outside.
 */
export async function bundleThreads(directory: string): Promise<string[]> {
  const entries = Object.entries(ownFiles());
  const outside = await Promise.all(entries.map(([name, file]) => bundlePart(directory, { [name]: file })));
  return outside.flat();
}

/** A source in which each reference to such a file is `url` of that file's name in the bundle, as an expression. */
export function withOwnFiles(source: string, url: (name: string) => string): string {
  return source.replace(OWN_FILE, (_whole, relative: string) => url(`${path.basename(relative)}.js`));
}

async function bundlePart(directory: string, entryPoints: Record<string, string>): Promise<string[]> {
  const { warnings, metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints,
    outdir: directory,
    // Flat: whichever piece a reference to an own file lands in, that file is beside it.
    entryNames: "[name]",
    chunkNames: "part-[hash]",
    bundle: true,
    // In pieces, so that what is imported when it is needed is loaded then.
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node24",
    external: EXTERNAL,
    minifySyntax: true,
    // In files beside: Node.js keeps a module's text for good, in twice the space where a name in it is not ASCII.
    legalComments: "external",
    banner: { js: BANNER },
    plugins: [renamedOwnFiles, unusedPackages],
    metafile: true,
    logLevel: "silent",
  });
  if (warnings.length > 0) throw new Error(warnings.map(({ text }) => text).join("\n"));
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports);
  return imports
    .filter(({ external, path: name }) => external && !isBuiltin(name))
    .map(({ path: name }) => name);
}

/** Every file that a source names as its own thread or program, by the name it gets. */
function ownFiles(): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(SOURCES, { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".ts") || name.endsWith(".test.ts")) continue;
    const file = path.join(SOURCES, name);
    for (const [, relative = ""] of readFileSync(file, "utf8").matchAll(OWN_FILE)) {
      const target = path.resolve(path.dirname(file), `${relative}.ts`);
      const entry = path.basename(relative);
      if (entry === "claviger" || (found[entry] ?? target) !== target)
        throw new Error(`two files would become ${entry}.js: rename ${target}`);
      found[entry] = target;
    }
  }
  return found;
}

/** Lets each such reference name the file as it is called in the bundle. */
const renamedOwnFiles: Plugin = {
  name: "own-files",
  setup: ({ onLoad }) =>
    onLoad({ filter: /\.ts$/ }, ({ path: file }) => ({
      contents: withOwnFiles(
        readFileSync(file, "utf8"),
        (name) => `new URL("./${name}", import.meta.url)`,
      ).replace(DASHBOARD, 'new URL("./web/", import.meta.url)'),
      loader: "ts",
    })),
};

const unusedPackages: Plugin = {
  name: "unused-packages",
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: UNUSED }, ({ path: name }) => ({ path: name, namespace: "unused" }));
    onLoad({ filter: UNUSED, namespace: "unused" }, ({ path: name }) => ({
      contents: `throw new Error("${name} is no part of the bundle");`,
    }));
  },
};

if (import.meta.main) await bundle(path.resolve(process.argv[2] ?? path.join(ROOT, "dist")));
