import { mkdtempDisposableSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { claviger } from "#test/start/process.ts";
import { requiredTool } from "./required-tool.ts";
import { runProgram } from "./run-program.ts";

const COMMITTED = path.resolve(import.meta.dirname, "../../docs/man/claviger.1");

test("[L2] the manual page is the one of this version, and mandoc has nothing to say against it", async () => {
  const { stdout } = await claviger(["man"]);
  expect(stdout).toBe(readFileSync(COMMITTED, "utf8"));
  using directory = mkdtempDisposableSync(path.join(tmpdir(), "claviger-man-"));
  const lint = async (page: string) => {
    const file = path.join(directory.path, "claviger.1");
    writeFileSync(file, page);
    return (await runProgram(requiredTool("mandoc"), ["-Tlint", file])).stdout;
  };
  expect(await lint(stdout)).toBe("");
  expect(await lint(stdout.replace(".SH NAME", ".XX NAME"))).not.toBe("");
});

test("[L2] read as text, the manual shows every command with its options as the help does", async () => {
  const { stdout } = await runProgram(requiredTool("mandoc"), ["-Tutf8", "-Owidth=400", COMMITTED]);
  // Bold is a letter, a step back and the letter once more.
  const parts = stdout.split("\b");
  const shown = parts.map((part, at) => (at < parts.length - 1 ? part.slice(0, -1) : part)).join("");
  for (const words of [
    ["provider", "add"],
    ["api-key", "create"],
    ["usage", "sums"],
    ["completion"],
    ["doctor"],
  ]) {
    const help = (await claviger([...words, "--help"])).stdout;
    const [own = ""] = help.split("Another server:");
    const section =
      shown
        .split(`claviger ${words.join(" ")}`)
        .at(-1)
        ?.split("\n   claviger ")[0] ?? "";
    const flags = [...own.matchAll(/^ {2}(--[\w-]+(?: [<[]\S+)?)/gm)].map(([, flag = ""]) => flag);
    expect(flags.length).toBeGreaterThan(0);
    for (const flag of flags) expect(section, words.join(" ")).toContain(flag);
  }
});
