import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import NODE_FLAGS from "../../../runtime/node-flags.json" with { type: "json" };
import { ENGINE_FLAGS } from "./engine-flags.ts";

/** Prints how many of Node's own modules were compiled anew, and how many came compiled, after `flags` were set. */
const COUNT_COMPILED = `
  const { internalBinding } = require("internal/test/binding");
  for (const flag of process.argv.slice(1)) require("v8").setFlagsFromString(flag);
  require("http");
  const { compiledWithoutCache, compiledWithCache } = internalBinding("builtins").getCacheUsage();
  console.log(JSON.stringify({ anew: compiledWithoutCache.size, came: compiledWithCache.size }));
`;

function countCompiled(flags: readonly string[]): { anew: number; came: number } {
  const own = ["--no-warnings", "--expose-internals", ...NODE_FLAGS.bundle];
  return JSON.parse(node([...own, "-e", COUNT_COMPILED, "--", ...flags]));
}

function node(args: readonly string[]): string {
  return execFileSync(process.execPath, args, { encoding: "utf8" });
}

test("V8 knows every flag that a server sets", () => {
  const known = node(["--v8-options"]);
  for (const flag of ENGINE_FLAGS) {
    const name = flag.replace(/=.*/, "").replace(/^--no-/, "--");
    expect(known).toContain(`\n  ${name} (`);
  }
});

test("with the flags that a bundle starts with, Node's own modules come compiled", () => {
  const { anew, came } = countCompiled([]);
  expect(anew).toBe(0);
  expect(came).toBeGreaterThan(0);
});

test.each(ENGINE_FLAGS)("after %s they do not, which is why it is set late", (flag) => {
  expect(countCompiled([flag]).anew).toBeGreaterThan(0);
});
