import { stripVTControlCharacters } from "node:util";
import { systemRandom } from "#platform/lib/random.ts";
import { startClaviger } from "#test/claviger.ts";
import { newPin } from "#test/cluster/member.ts";
import { startUpstream } from "#test/upstream.ts";
import { atTerminal } from "./terminal.ts";

const [COLUMNS, ROWS] = [96, 30];
const TYPING_S = 1.5;
const HELLO = `import OpenAI from "openai";
const client = new OpenAI({ baseURL: process.argv[1], apiKey: process.env.CLAVIGER_KEY });
const messages = [{ role: "user", content: "Say hello." }];
const answer = await client.chat.completions.create({ model: "openai/sim-1", messages });
console.log(answer.choices[0].message.content);`;
const SECRETS = /(sk-claviger-|claviger-recovery-)[\w-]+/g;

/** A first run as it was shown: from a fresh server to an answered call of the OpenAI SDK, what is secret replaced. */
export interface Recording {
  /** An asciicast, version 2. */
  readonly cast: string;
  /** As a page shows it: each question with its answer, as they stand at the end. */
  readonly text: string;
}

/** Runs it at terminals of its own, against a simulated provider. */
export async function recordSetup(): Promise<Recording> {
  await using upstream = await startUpstream();
  await using server = await startClaviger();
  const [password, serverKey, credential] = [fresh(), fresh(), fresh()];
  const pin = newPin();
  const { NO_COLOR: _none, ...env } = process.env;
  const setup = await atTerminal(
    ["setup", "--data-dir", server.dataDir],
    [
      ["Password of admin", password],
      ["once more", password],
      ["Server key", serverKey],
      ["once more", serverKey],
      ["recovery key, too?", "y"],
      ["Is the recovery key saved?", "y"],
      ["This one", "j"],
      ["PIN; empty", pin],
      ["once more", pin],
      ["claviger.yaml?", "n"],
      ["Which provider", "jjj"],
      ["Its name", "openai"],
      ["Its base URL", upstream.baseUrl],
      ["API key of openai", credential],
      ["Make a key", "y"],
      ["The program's name", ""],
      ["Is the key saved?", "y"],
      ["Settings for which program?", "jj"],
    ],
    { columns: COLUMNS, env },
  );
  const key = /^sk-claviger-\w+$/m.exec(setup.shown)?.[0] ?? "";
  const program = [process.execPath, "--input-type=module", "--eval", HELLO, "--", `${server.url}/v1`];
  const call = await atTerminal([], [], { program, columns: COLUMNS, env: { ...env, CLAVIGER_KEY: key } });
  if (setup.status !== 0 || call.status !== 0) throw new Error(`${setup.shown}\n${call.shown}`);
  const scenes = ["$ claviger setup\r\n", ...setup.scenes, "$ node hello.mjs\r\n", ...call.scenes].map(
    (scene) =>
      scene
        .replaceAll(SECRETS, (secret, head: string) => head + "•".repeat(secret.length - head.length))
        .replaceAll(server.url, "http://127.0.0.1:8441")
        .replaceAll(upstream.baseUrl, "https://provider.example/v1"),
  );
  return { cast: castOf(scenes), text: textOf(scenes) };
}

/** The questions of a recording, in their order. */
export function questionsIn(cast: string): string[] {
  const events: unknown[] = cast
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((line) => JSON.parse(line));
  const shown = events.map((event) => (Array.isArray(event) ? String(event[2]) : "")).join("");
  return [...stripVTControlCharacters(shown).matchAll(/◆ {2}(.*)/g)].map(([, words = ""]) => words.trim());
}

function castOf(scenes: readonly string[]): string {
  const header = { version: 2, width: COLUMNS, height: ROWS, title: "claviger setup" };
  const events = scenes.map((scene, at) => [at * TYPING_S, "o", scene]);
  return `${[header, ...events].map((line) => JSON.stringify(line)).join("\n")}\n`;
}

/** What a question looked like while it was answered is left out: its answer is drawn in its place. */
function textOf(scenes: readonly string[]): string {
  return stripVTControlCharacters(scenes.join(""))
    .replaceAll("\r", "")
    .replaceAll(/◆[\s\S]*?◇/g, "◇")
    .replaceAll(/^│\n/gm, "")
    .replaceAll(/▪+/g, "▪▪▪▪▪▪▪▪")
    .replaceAll(/\n{3,}/g, "\n\n")
    .replaceAll(/cluster_\w{16}/g, "cluster_…")
    .trim();
}

function fresh(): string {
  return systemRandom.bytes(12).toString("hex");
}
