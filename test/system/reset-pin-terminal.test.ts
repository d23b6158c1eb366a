import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { expect, test, vi } from "vitest";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { newPin, openToMembers, startMember, tokenOf } from "#test/cluster/member.ts";
import { requiredTool } from "./required-tool.ts";

vi.setConfig({ testTimeout: 120_000 });

const MAIN = path.resolve(import.meta.dirname, "../../src/main.ts");

/** Runs a command at a terminal; each answer is typed when its question is there. Gives the exit status and all that was shown. */
async function atTerminal(
  { dataDir }: TestClaviger,
  words: string,
  answers: readonly (readonly [question: string, typed: string])[],
): Promise<readonly [number | null, string]> {
  // The terminal is as wide as its driver, which has none.
  const line = `stty cols 200; "${process.execPath}" "${MAIN}" ${words} --data-dir "${dataDir}"`;
  const child = spawn(requiredTool("script"), ["-qec", line, "/dev/null"], {
    env: { ...process.env, TERM: "xterm" },
  });
  const [open, next] = [[...answers], { from: 0 }];
  let seen = "";
  child.stdout.on("data", (chunk: Buffer) => {
    seen += chunk;
    const [[question, typed] = ["", ""]] = open;
    if (question === "" || !seen.slice(next.from).includes(question)) return;
    open.shift();
    next.from = seen.length;
    child.stdin.write(`${typed}\r`);
  });
  await once(child, "close");
  return [child.exitCode, seen];
}

const clusterOf = async (node: TestClaviger) => Object(await node.control({ path: "/api/v1/cluster" })).json;

test("[C9] without files reset-pin asks for a member's address: it joins that one's cluster, or begins one where none is given", async () => {
  const pin = newPin();
  const { claviger, url } = await startMember(pin);
  await using member = claviger;
  await using joiner = await startClaviger();
  await openToMembers(joiner);
  const [joined, shown] = await atTerminal(joiner, "reset-pin", [
    ["Address of a member", url],
    ["PIN of the cluster", pin],
    ["claviger.yaml?", "n"],
  ]);
  expect([joined, shown]).toEqual([0, expect.stringContaining("this server is a member of cluster_")]);
  expect(shown).not.toContain(pin);
  expect(tokenOf(joiner)).toBe(tokenOf(member));
  await using first = await startClaviger();
  await openToMembers(first);
  const [begun, said] = await atTerminal(first, "reset-pin", [
    ["Address of a member", ""],
    ["PIN", pin],
    ["once more", pin],
    ["claviger.yaml?", "n"],
  ]);
  expect([begun, said]).toEqual([0, expect.stringContaining("in the cluster cluster_")]);
  expect(tokenOf(first)).not.toBe(tokenOf(member));
});

test("[C4] at a terminal leave asks, and does nothing unless that was agreed to", async () => {
  const { claviger } = await startMember(newPin());
  await using member = claviger;
  const [kept, shown] = await atTerminal(member, "cluster leave", [["Leave the cluster", "n"]]);
  expect([kept, shown]).toEqual([1, expect.stringContaining("nothing was changed")]);
  expect(await clusterOf(member)).toMatchObject({ status: "member" });
  const [left] = await atTerminal(member, "cluster leave", [["Leave the cluster", "y"]]);
  expect(left).toBe(0);
  expect(await clusterOf(member)).toMatchObject({ status: "none" });
});
