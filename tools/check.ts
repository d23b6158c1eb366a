/**
 * Every check of the checkout, and the proof that each can fail: after a gate has passed, its violation is planted
 * in a copy, where the same gate must refuse it and name it.
 */
import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

interface Gate {
  readonly name: string;
  /** Programs and their arguments, run one after the other; the first that fails is the verdict. */
  readonly commands: readonly (readonly string[])[];
  /** Breaks the copy at `root`. */
  readonly plant: (root: string) => void;
  /** What the gate must say about the planted violation. */
  readonly names: string;
}

const KNIP = "knip@6.44.2";
const ROOT = path.join(import.meta.dirname, "..");
const NODE = process.execPath;
const npm = (...args: string[]) => ["npm", ...args];

const write = (file: string, text: string) => (root: string) => writeFileSync(path.join(root, file), text);

const GATES: readonly Gate[] = [
  {
    name: "types",
    commands: [[NODE, "node_modules/typescript/bin/tsc", "-p", "."]],
    plant: write("src/platform/lib/planted.ts", 'export const planted: number = "text";\n'),
    names: "src/platform/lib/planted.ts",
  },
  {
    name: "lint and format",
    commands: [[NODE, "node_modules/.bin/biome", "check", "--error-on-warnings", "."]],
    plant: write("src/platform/lib/planted.ts", "export const planted: any = 1;\n"),
    names: "noExplicitAny",
  },
  {
    name: "layering",
    commands: [[NODE, "tools/layering.ts"]],
    plant: write("src/platform/lib/planted.ts", 'import "#vault/seal/index.ts";\n'),
    names: "src/platform/lib/planted.ts:1: platform must not import vault",
  },
  {
    name: "types of the dashboard",
    commands: [[NODE, "node_modules/typescript/bin/tsc", "-p", "web"]],
    plant: write("web/lib/planted.ts", 'export const planted: number = "text";\n'),
    names: "web/lib/planted.ts",
  },
  {
    name: "layering of the dashboard",
    commands: [[NODE, "tools/layering-web.ts"]],
    plant: write("web/features/keys/planted.ts", 'import "#features/profile/page.tsx";\n'),
    names: "web/features/keys/planted.ts:1: features do not import each other",
  },
  {
    name: "promises",
    commands: [[NODE, "tools/promises.ts"]],
    plant: write("src/platform/lib/planted.test.ts", 'test("[Z99] planted", () => {});\n'),
    names: "Z99",
  },
  {
    name: "unused code",
    commands: [npm("exec", "--yes", `--package=${KNIP}`, "--", "knip", "--no-progress", "--workspace", ".")],
    plant: write("src/platform/lib/planted.ts", "export const planted = 1;\n"),
    names: "src/platform/lib/planted.ts",
  },
  {
    name: "unused code of the dashboard",
    commands: [
      npm("exec", "--yes", `--package=${KNIP}`, "--", "knip", "--no-progress", "--workspace", "web"),
    ],
    plant: write("web/lib/planted.ts", "export const planted = 1;\n"),
    names: "lib/planted.ts",
  },
  {
    name: "generated docs",
    commands: [
      [NODE, "tools/generate-settings-doc.ts", "--check"],
      [NODE, "tools/generate-reference.ts", "--check"],
      [NODE, "tools/generate-config-schema.ts", "--check"],
      [NODE, "tools/generate-web-api.ts", "--check"],
    ],
    plant: (root) => appendFileSync(path.join(root, "docs", "errors.md"), "planted\n"),
    names: "docs/errors.md",
  },
  {
    name: "locked parts",
    commands: [npm("ci", "--dry-run"), npm("ci", "--dry-run", "--prefix", "runtime")],
    plant: (root) => {
      const manifest = path.join(root, "package.json");
      writeFileSync(manifest, readFileSync(manifest, "utf8").replace(/"zod": "[^"]+"/, '"zod": "4.0.0"'));
    },
    names: "zod@4.0.0",
  },
  {
    name: "locked parts of the dashboard",
    commands: [npm("ci", "--dry-run", "--prefix", "web")],
    plant: (root) => {
      const manifest = path.join(root, "web", "package.json");
      writeFileSync(manifest, readFileSync(manifest, "utf8").replace(/"vite": "[^"]+"/, '"vite": "8.0.0"'));
    },
    names: "vite@8.0.0",
  },
];

const failed = GATES.filter((gate) => !passes(gate)).map(({ name }) => name);
console.log(failed.length === 0 ? "all checks passed" : `failed: ${failed.join(", ")}`);
if (failed.length > 0) process.exitCode = 1;

function passes(gate: Gate): boolean {
  const verdict = run(gate, ROOT);
  if (verdict.status !== 0) {
    console.log(`${gate.name}: FAILED\n${verdict.output.trimEnd()}`);
    return false;
  }
  const planted = withCopy((copy) => {
    gate.plant(copy);
    return run(gate, copy);
  });
  if (planted.status === 0 || !planted.output.includes(gate.names)) {
    console.log(`${gate.name}: FAILED: it did not see the planted violation\n${planted.output.trimEnd()}`);
    return false;
  }
  console.log(`${gate.name}: passed, and refused the planted violation`);
  return true;
}

function run(gate: Gate, cwd: string): { status: number; output: string } {
  let output = "";
  for (const [file = "", ...args] of gate.commands) {
    const result = spawnSync(file, args, { cwd, encoding: "utf8" });
    output += `${result.stdout ?? ""}${result.stderr ?? ""}${result.error?.message ?? ""}`;
    if (result.status !== 0) return { status: result.status ?? 1, output };
  }
  return { status: 0, output };
}

/** A copy of what git tracks or would track, with the installed parts of this checkout. */
function withCopy<T>(work: (copy: string) => T): T {
  const copy = mkdtempSync(path.join(tmpdir(), "claviger-check-"));
  try {
    const listed = spawnSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
      cwd: ROOT,
      encoding: "utf8",
    });
    if (listed.status !== 0) throw new Error(`git ls-files failed: ${listed.stderr}`);
    spawnSync("git", ["init", "--quiet", copy]);
    for (const file of listed.stdout.split("\0").filter((name) => name !== ""))
      cpSync(path.join(ROOT, file), path.join(copy, file), { recursive: true });
    for (const modules of ["node_modules", "runtime/node_modules", "web/node_modules"])
      symlinkSync(path.join(ROOT, modules), path.join(copy, modules));
    return work(copy);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}
