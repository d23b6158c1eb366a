import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { requiredTool } from "./required-tool.ts";
import { runProgram } from "./run-program.ts";

const CHECKOUT = path.resolve(import.meta.dirname, "../..");

export interface Place extends AsyncDisposable {
  readonly root: string;
  /** The clone. */
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** The flags that name its data directory. */
  readonly where: readonly string[];
}

/** A clone of what is committed, with the environment of a person who has just logged in. */
export async function cloneHere(): Promise<Place> {
  const root = mkdtempSync(path.join(tmpdir(), "clone-"));
  const cwd = path.join(root, "claviger.clone");
  const cloned = await runProgram(requiredTool("git"), ["clone", "--quiet", "--no-local", CHECKOUT, cwd]);
  if (cloned.status !== 0) throw new Error(cloned.stderr);
  return {
    root,
    cwd,
    env: strangersEnvironment(),
    where: ["--data-dir", path.join(root, "kept")],
    [Symbol.asyncDispose]: async () => rmSync(root, { recursive: true, force: true }),
  };
}

/** That of a person who has just logged in. */
export function strangersEnvironment(): NodeJS.ProcessEnv {
  // The pinned Node that runs these tests is first on the path; a stranger has only the system's.
  const searchPath = (process.env.PATH ?? "").split(":").filter((at) => !at.includes("node_modules"));
  return { PATH: searchPath.join(":"), HOME: process.env.HOME, LANG: "C.UTF-8" };
}
