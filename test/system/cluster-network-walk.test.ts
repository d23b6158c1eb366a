import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { systemRandom } from "#platform/lib/random.ts";
import { newPin } from "#test/cluster/member.ts";
import { Network } from "#test/cluster/network.ts";
import { allShow, each } from "#test/cluster/network-cluster.ts";
import type { Machine } from "#test/cluster/network-machine.ts";
import { requiredTool } from "./required-tool.ts";

const PAGE = new URL("../../docs/cluster.md", import.meta.url);
/** Where the machines of the page are. */
const PREFIX4 = "192.168.1";
const NAMES = ["alpha", "bravo", "charlie"];
const SHOWS_MS = 15_000;

interface Step {
  readonly on: readonly string[];
  readonly lines: string;
}

/** The commands under the heading, and where each is given, in their order. */
function stepsOfThePage(): Step[] {
  const [, section = ""] = readFileSync(PAGE, "utf8").split("## Three servers, from nothing\n");
  const [own = ""] = section.split(/^## /m);
  return [...own.matchAll(/^```sh\n# on (.*)\n([\s\S]*?)^```$/gm)].map(([, names = "", lines = ""]) => ({
    on: names.split(", "),
    lines,
  }));
}

test("[C4] [C6] [C7] [C9] [C14] every command of the walk from three bare machines to a cluster and out of it does what the page says", {
  timeout: 400_000,
}, async () => {
  requiredTool("curl");
  const [pin, next] = [newPin(), newPin()];
  const keys = new Map(NAMES.map((name) => [name, systemRandom.bytes(18).toString("base64url")]));
  await using network = await Network.make(NAMES, PREFIX4);
  const all = network.machines;
  const answers = new Map<string, string>();
  const give = async (machine: Machine, lines: string) => {
    const command = [requiredTool("bash"), "--norc", "-euo", "pipefail", "-c", lines];
    if (lines === "claviger serve\n") return await machine.start(command, /listens on /);
    const secret = lines.startsWith("claviger key ") ? keys.get(machine.name) : pin;
    const typed = lines.includes("reset-pin") ? next : secret;
    const { status, stdout, stderr } = await machine.run(command, `${typed}\n`);
    expect([machine.name, lines, status], stdout + stderr).toEqual([machine.name, lines, 0]);
    answers.set(lines, stdout);
  };
  const tokens = () => all.map((machine) => machine.file("credentials/pin_derived_key"));
  const steps = stepsOfThePage();
  for (const { on, lines } of steps) {
    for (const name of on) await give(network.at(name), lines);
    // Who reads the page takes longer than the servers to hear of each other.
    if (/cluster join|key unlock|reset-pin/.test(lines)) await allShow(all, each("up", all), SHOWS_MS);
    if (lines.includes("cluster lock"))
      for (const machine of all)
        expect((await machine.ask({ path: "/api/v1/key/status" })).json).toMatchObject({ unlocked: false });
    if (/cluster join|reset-pin/.test(lines)) expect(new Set(tokens()).size).toBe(1);
  }
  const answerTo = (words: string) =>
    [...answers].find(([lines]) => lines.includes(words))?.[1] ?? `nothing said to ${words}`;
  expect(steps).toHaveLength(10);
  for (const name of NAMES)
    for (const words of ["cluster status", "/api/nodes", "cluster lock"])
      expect(answerTo(words)).toContain(name);
  expect(answerTo("reset-pin")).toMatch(/^bravo has the new PIN\ncharlie has the new PIN$/m);
  const [alpha, bravo] = all;
  const left = [alpha, bravo].filter((machine) => machine !== undefined);
  await allShow(left, each("up", left), SHOWS_MS);
});
