import { once } from "node:events";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import OpenAI from "openai";
import { expect, test } from "vitest";
import { startUpstream, UPSTREAM_MODEL } from "#test/upstream.ts";
import { requiredTool } from "./required-tool.ts";
import { type ProgramRun, runProgram } from "./run-program.ts";
import { startProgram } from "./running-program.ts";

const CHECKOUT = path.resolve(import.meta.dirname, "../..");
const FIVE_MINUTES = { timeout: 300_000 };

test(
  "[L1] a stranger clones, starts, follows the printed lines, and streams; a signal ends it with status 0",
  FIVE_MINUTES,
  async () => {
    await using place = await cloneHere();
    await using upstream = await startUpstream();
    await using server = startProgram(
      "npm",
      ["start", "--", ...place.where, "--listen", "127.0.0.1:0"],
      place,
    );
    const [, url = ""] = await server.hears(/point the program at (\S+)\/v1/);
    const page = await fetch(url, { headers: { accept: "text/html" } });
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('<div id="root">')]);
    const [addProvider = "", createKey = ""] = printedCommands(server.said());

    const added = await follow(
      place,
      `${addProvider} --base-url ${upstream.baseUrl}`,
      "upstream-credential\n",
    );
    expect(added).toMatchObject({ status: 0, stdout: `provider openai added: ${upstream.baseUrl}\n` });
    const created = await follow(place, createKey);
    expect(created).toMatchObject({ status: 0, stderr: "" });
    const key = created.stdout.split("\n", 1)[0] ?? "";
    expect(await streamHello(url, key)).toBe("Hello.");
    expect(upstream.requests.at(-1)?.rawHeaders).toContain("Bearer upstream-credential");

    const elsewhere = path.join(place.root, "claviger");
    symlinkSync(path.join(place.cwd, "bin/claviger"), elsewhere);
    const status = await runProgram(elsewhere, ["status", "--json", ...place.where], {
      cwd: "/",
      env: place.env,
    });
    const { pid }: { pid: unknown } = JSON.parse(status.stdout);
    process.kill(Number(pid), "SIGTERM");
    expect(await server.end()).toBe(0);
    expect(await isListening(url)).toBe(false);
  },
);

test(
  "[L1] bin/claviger brings the pinned Node by itself and passes a stop signal on",
  FIVE_MINUTES,
  async () => {
    await using place = await cloneHere();
    const elsewhere = path.join(place.root, "claviger");
    symlinkSync(path.join(place.cwd, "bin/claviger"), elsewhere);
    const args = ["serve", ...place.where, "--listen", "127.0.0.1:0"];
    await using server = startProgram(elsewhere, args, { cwd: "/", env: place.env });
    const [, url = ""] = await server.hears(/listens on (\S+)/);
    expect(await isListening(url)).toBe(true);
    expect(await server.end("SIGTERM")).toBe(0);
    expect(await isListening(url)).toBe(false);
    const clean = await runProgram(requiredTool("git"), ["status", "--porcelain"], place);
    expect(clean.stdout).toBe("");
  },
);

interface Place extends AsyncDisposable {
  readonly root: string;
  /** The clone. */
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** The flags that name its data directory. */
  readonly where: readonly string[];
}

/** A clone of what is committed, with the environment of a person who has just logged in. */
async function cloneHere(): Promise<Place> {
  const root = mkdtempSync(path.join(tmpdir(), "clone-"));
  const cwd = path.join(root, "claviger.clone");
  const cloned = await runProgram(requiredTool("git"), ["clone", "--quiet", "--no-local", CHECKOUT, cwd]);
  expect(cloned).toMatchObject({ status: 0 });
  // The pinned Node that runs these tests is first on the path; a stranger has only the system's.
  const searchPath = (process.env.PATH ?? "").split(":").filter((at) => !at.includes("node_modules"));
  const env = { PATH: searchPath.join(":"), HOME: process.env.HOME, LANG: "C.UTF-8" };
  return {
    root,
    cwd,
    env,
    where: ["--data-dir", path.join(root, "kept")],
    [Symbol.asyncDispose]: async () => rmSync(root, { recursive: true, force: true }),
  };
}

/** The commands the server prints on its first start, without the remarks behind them. */
function printedCommands(said: string): string[] {
  return [...said.matchAll(/^ {2}(bin\/claviger .*?)(?: {2,}\(.*\))?$/gm)].map((line) => line[1] ?? "");
}

/** Runs a printed command in the clone; one that does not name the data directory is told it. */
function follow(place: Place, command: string, stdin = ""): Promise<ProgramRun> {
  const named = command.includes("--data-dir") ? command : `${command} ${place.where.join(" ")}`;
  return runProgram("sh", ["-c", named], { cwd: place.cwd, env: place.env, stdin });
}

async function streamHello(url: string, apiKey: string): Promise<string> {
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });
  const stream = await client.chat.completions.create({
    model: `openai/${UPSTREAM_MODEL}`,
    messages: [{ role: "user", content: "hello" }],
    stream: true,
  });
  let text = "";
  for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
  return text;
}

async function isListening(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
