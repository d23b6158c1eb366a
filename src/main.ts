import { setFlagsFromString } from "node:v8";
import { run } from "#cli/program.ts";

// V8 would make what a request needs among the old objects once a few of them outlived it, and these then keep alive
// what they point to: a third of all that requests make, and pauses ten times as long (docs/adr/0010).
setFlagsFromString("--no-allocation-site-pretenuring");

process.exitCode = await run(process.argv.slice(2));
// Whoever gave a secret through a pipe may keep it open; the command has ended all the same.
process.stdin.destroy();
