import { run } from "#cli/program.ts";

process.exitCode = await run(process.argv.slice(2));
// Whoever gave a secret through a pipe may keep it open; the command has ended all the same.
process.stdin.destroy();
