import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { stripVTControlCharacters } from "node:util";
import { expect, test, vi } from "vitest";
import { claviger, serve } from "#test/start/process.ts";
import { requiredTool } from "./required-tool.ts";
import { startProgram } from "./running-program.ts";

vi.setConfig({ testTimeout: 60_000 });

const MAIN = path.resolve(import.meta.dirname, "../../src/main.ts");
const WRONG = "sk-claviger-nobody-s";

/** What a server that is asked three things says to a terminal from its start to its end, line by line. */
async function shownBy(...flags: readonly string[]): Promise<{ lines: string[]; coloured: boolean }> {
  const dataDir = mkdtempSync(path.join(tmpdir(), "claviger-log-"));
  try {
    const words = [
      process.execPath,
      MAIN,
      "serve",
      "--data-dir",
      dataDir,
      "--listen",
      "127.0.0.1:0",
      ...flags,
    ];
    const line = `stty cols 250; exec ${words.map((word) => `'${word}'`).join(" ")}`;
    await using server = startProgram(requiredTool("script"), ["-qec", line, "/dev/null"]);
    await server.hears(/server started/);
    const status = await claviger(["status", "--json", "--data-dir", dataDir]);
    const { pid, listeners } = JSON.parse(status.stdout);
    await ask(String(listeners[0]));
    process.kill(Number(pid), "SIGTERM");
    expect(await server.end()).toBe(0);
    const said = server.said();
    const text = stripVTControlCharacters(said).replaceAll("\r", "");
    return { lines: text.split("\n"), coloured: text.length < said.replaceAll("\r", "").length };
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** One request that is let in, one that is not, and one to nowhere with a line break of its own. */
async function ask(url: string): Promise<void> {
  expect((await fetch(`${url}/health`)).status).toBe(200);
  const headers = { authorization: `Bearer ${WRONG}` };
  expect((await fetch(`${url}/api/v1/keys?api_key=${WRONG}`, { headers })).status).toBe(401);
  expect((await fetch(`${url}/nothing%0a%1b[31m`)).status).toBe(404);
}

const isJson = (line: string) => line.startsWith('{"level":');

test("[W2] on a terminal each line is readable: its time, level and message, and the fields, why one was refused too", async () => {
  const { lines, coloured } = await shownBy();
  expect(coloured).toBe(true);
  expect(lines.filter(isJson)).toEqual([]);
  const requests = lines.filter((line) => /^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: request /.test(line));
  const about = (part: string) => requests.filter((line) => line.includes(part));
  expect(about('"route":"/health"')).toEqual([expect.stringContaining('"status":200')]);
  const [refused = "", ...others] = about('"route":"/api/v1/keys"');
  expect(others).toEqual([]);
  for (const part of ['"status":401', '"reason":"malformed"', '"method":"GET"', '"address":"127.0.0.1"'])
    expect(refused).toContain(part);
  expect(refused).toMatch(/"request_id":"req_\w+"/);
  expect(about('"status":404')).toHaveLength(1);
  expect(lines.join("\n")).not.toContain(WRONG);
});

test("[W2] with --json a terminal gets JSON, as whatever is no terminal does", async () => {
  const { lines } = await shownBy("--json");
  const dataDir = mkdtempSync(path.join(tmpdir(), "claviger-log-"));
  try {
    await using server = await serve(dataDir);
    await ask(server.url);
    const { stdout } = await server.kill("SIGTERM");
    for (const each of [lines, stdout.split("\n")]) {
      const written = each.filter((line) => line !== "").map((line) => JSON.parse(line));
      expect(written.filter(({ msg }) => msg === "request").map(({ status }) => status)).toEqual(
        expect.arrayContaining([200, 401, 404]),
      );
      for (const row of written)
        expect(row).toMatchObject({
          level: expect.any(Number),
          time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
          msg: expect.any(String),
        });
    }
    expect(stdout).not.toContain(WRONG);
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});
