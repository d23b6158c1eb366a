import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { claviger } from "#test/start/process.ts";
import { requiredTool } from "./required-tool.ts";
import { runProgram } from "./run-program.ts";

/** A line as it is typed up to the cursor, and what must be among the words offered, or must not. */
const CASES = [
  { typed: "claviger prov", offered: ["provider"], not: ["prompt"] },
  { typed: "claviger api-key ", offered: ["create", "revoke"], not: ["add", "serve"] },
  { typed: "claviger api-key create my-app --perm", offered: ["--permissions"], not: [] },
  {
    typed: "claviger usage sums --by ",
    offered: ["day", "key", "model", "provider"],
    not: ["--from", "usage"],
  },
  { typed: "claviger provider add x --kind an", offered: ["anthropic"], not: ["openai"] },
  { typed: "claviger completion ", offered: ["bash", "zsh", "fish"], not: ["serve"] },
  { typed: "claviger --url https://host status --p", offered: ["--pin"], not: ["--permissions"] },
  { typed: "claviger doctor --", offered: ["--fix"], not: ["--pin", "--by"] },
] as const;

/** Asks a shell at a terminal of its own for the list of what fits at the end of $TYPED. */
const ZSH_DRIVER = `
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1=; stty columns 200 rows 200 -echo; autoload -U compinit; compinit -u -D; LISTMAX=1000; source $SCRIPT; bindkey -e; bindkey '^X' list-choices; echo rea''dy"
zpty -r shell seen '*ready*'
zpty -w -n shell "$TYPED"$'\\C-X'
zpty -w -n shell $'\\C-A\\C-K'
zpty -w shell "echo do''ne"
zpty -r shell seen '*done*'
print -r -- "$seen"
`;

/** The words that a shell offers for a typed line, the shell itself asked. */
const SHELLS = {
  bash: async (script: string, typed: string) => {
    const words = typed.split(" ").map((word) => `'${word}'`);
    const line = `COMP_WORDS=(${words.join(" ")}); COMP_CWORD=${words.length - 1}; _claviger`;
    const all = `source ${script}\n${line}\nprintf '%s\\n' "\${COMPREPLY[@]}"`;
    return (await output("bash", ["--norc", "-c", all])).split("\n");
  },
  fish: async (script: string, typed: string) => {
    const offered = await output("fish", ["--no-config", "-c", `source ${script}; complete -C '${typed}'`]);
    return offered.split("\n").map((line) => line.split("\t")[0] ?? "");
  },
  zsh: async (script: string, typed: string) => {
    const env = { ...process.env, TERM: "xterm", SCRIPT: script, TYPED: typed };
    const seen = await output("zsh", ["-f", "-c", ZSH_DRIVER], env);
    const [, list = ""] = seen.split(`${typed}\r\r\n`);
    const [lines = ""] = list.replaceAll("\u001b[J", "").replaceAll("\u001b[K", "").split("\u001b[");
    return lines.split("\n").flatMap((line) => (line.split(" -- ")[0] ?? "").trim().split(/\s+/));
  },
} as const;

async function output(
  shell: keyof typeof SHELLS,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  const { stdout, stderr } = await runProgram(requiredTool(shell), args, { env });
  expect(stderr).toBe("");
  return stdout;
}

let directory = "";
beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), "claviger-completion-"));
  for (const shell of Object.keys(SHELLS))
    writeFileSync(path.join(directory, shell), (await claviger(["completion", shell])).stdout);
}, 60_000);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe.each(["bash", "fish", "zsh"] as const)("%s", (shell) => {
  test.each(CASES)("[L2] offers what fits after: $typed", async ({ typed, offered, not }) => {
    const words = await SHELLS[shell](path.join(directory, shell), typed);
    expect(words).toEqual(expect.arrayContaining([...offered]));
    for (const word of not) expect(words).not.toContain(word);
  }, 30_000);
});
