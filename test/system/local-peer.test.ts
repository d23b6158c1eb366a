import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { requiredTool } from "./required-tool.ts";
import { runProgram } from "./run-program.ts";
import { startProgram } from "./running-program.ts";

const MAIN = path.resolve(import.meta.dirname, "../../src/main.ts");
const OTHER = "192.0.2.1";
/** A machine with one more address, from which its loopback can be reached. */
const WITH_ADDRESS = `"$1" link set lo up && "$1" addr add ${OTHER}/32 dev lo && shift && exec "$@"`;

test("[A7] [U2] who reaches loopback from another address is not local: no key is a 401, and 123456 no password", async () => {
  const dataDir = mkdtempSync(path.join(tmpdir(), "claviger-peer-"));
  try {
    const serve = [process.execPath, MAIN, "serve", "--data-dir", dataDir, "--listen", "127.0.0.1:0"];
    const args = ["--net", "sh", "-c", WITH_ADDRESS, "sh", requiredTool("ip"), ...serve];
    const env = { PATH: process.env.PATH, HOME: dataDir };
    await using server = startProgram("unshare", args, { env });
    const [url = ""] = await server.hears(/http:\/\/127\.0\.0\.1:\d+/);
    const ask = async (from: string, ...more: string[]) => {
      const quiet = ["--silent", "--output", "/dev/null", "--write-out", "%{http_code}"];
      const curl = [requiredTool("curl"), ...quiet, "--interface", from, ...more];
      return (await runProgram("nsenter", ["--target", String(server.pid), "--net", ...curl])).stdout;
    };
    const json = ["--header", "content-type: application/json", "--data", '{"password":"123456"}'];
    for (const [from, models, signIn] of [
      [OTHER, "401", "401"],
      ["127.0.0.1", "200", "200"],
    ] as const) {
      expect(await ask(from, `${url}/v1/models`), from).toBe(models);
      expect(await ask(from, ...json, `${url}/login/password`), from).toBe(signIn);
    }
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});
