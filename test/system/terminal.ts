import { spawn } from "node:child_process";
import path from "node:path";
import { stripVTControlCharacters } from "node:util";
import NODE_FLAGS from "../../runtime/node-flags.json" with { type: "json" };
import { requiredTool } from "./required-tool.ts";

const COMMAND = [
  process.execPath,
  ...NODE_FLAGS.sources,
  path.resolve(import.meta.dirname, "../../src/main.ts"),
];
/** Without a word for so long, a program will not say one any more, however loaded the machine is. */
const QUIET_MS = 60_000;
/**
 * A question as it is drawn whole: its mark, its words, what it shows below them, its end. It is drawn in raw mode, which
 * is where keys are taken one by one; an answer that came before would be echoed, and its Enter taken for another key. Or a
 * line that ends where the answer begins, as a terminal is asked that cannot move its cursor.
 */
const FRAME = /^[◆▲] {2}[\s\S]*?^└.*$|^\? .*: $(?!\n)/m;
const YES_OR_NO = /[●○] Yes \/ [●○] No/;
/** Ctrl-C, Escape and the arrows do their work without Enter. */
const ALONE = ["\u0003", "\u001b"];

/**
 * Words of a question, and what is typed there, or how that is read from what was shown so far; Enter follows where the
 * question waits for it.
 */
export type TerminalAnswer = readonly [question: string, typed: string | ((shown: string) => string)];

export interface TerminalRun {
  /** The exit status; null when a signal ended it. */
  readonly status: number | null;
  /** All that was shown, without control sequences. */
  readonly shown: string;
  /** As the terminal got it. */
  readonly raw: string;
  /** The same, cut where an answer was typed. */
  readonly scenes: readonly string[];
}

export interface TerminalOptions {
  /** What runs the terminal itself, as `ip netns exec NAME` does. */
  readonly enter?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly columns?: number;
  readonly term?: string;
  /** What runs there in place of the command line. */
  readonly program?: readonly string[];
}

/** Runs a command of the program at a terminal and answers each question once, when it is its turn: see `drive`. */
export function atTerminal(
  words: readonly string[],
  answers: readonly TerminalAnswer[],
  options: TerminalOptions = {},
): Promise<TerminalRun> {
  const { enter = [], env = process.env, columns = 200, term = "xterm", program = COMMAND } = options;
  const command = [...program, ...words].map((word) => `'${word.replaceAll("'", "'\\''")}'`);
  // The terminal is as large as its driver, which has no size.
  const line = `stty rows 50 cols ${columns}; exec ${command.join(" ")}`;
  const [file = "", ...args] = [...enter, requiredTool("script"), "-qec", line, "/dev/null"];
  return drive(file, args, { answers, env: { ...env, TERM: term } });
}

/** Rejects, with all that was shown, when another question is asked than the next one, none is any more, or nothing happens. */
function drive(
  file: string,
  args: readonly string[],
  { answers, env }: { readonly answers: readonly TerminalAnswer[]; readonly env: NodeJS.ProcessEnv },
): Promise<TerminalRun> {
  const child = spawn(file, args, { env });
  const open = [...answers];
  const text = new TextDecoder();
  let [raw, answeredTo] = ["", 0];
  const scenes: string[] = [];
  return new Promise((resolve, reject) => {
    const shown = () => stripVTControlCharacters(raw).replaceAll("\r", "");
    const fail = (why: string) => {
      clearTimeout(quiet);
      // The terminal hangs up on what runs at it.
      child.kill("SIGKILL");
      reject(new Error(`${why}\n${shown()}`));
    };
    const quiet = setTimeout(() => fail(`nothing happened for ${QUIET_MS} ms; left: ${open}`), QUIET_MS);
    child.on("error", reject);
    child.stdin.on("error", () => {});
    child.stdout.on("data", (chunk: Buffer) => {
      raw += text.decode(chunk, { stream: true });
      quiet.refresh();
      const since = stripVTControlCharacters(raw.slice(answeredTo)).replaceAll("\r", "");
      const frame = FRAME.exec(since)?.[0];
      if (frame === undefined) return;
      const [question, typed] = open.shift() ?? [];
      const asked = frame.replaceAll(/\s*\n[│ ]*/g, " ");
      if (question === undefined || typed === undefined || !asked.includes(question))
        return fail(`it asks "${asked}" and not "${question}"`);
      scenes.push(raw.slice(answeredTo));
      answeredTo = raw.length;
      const keys = typeof typed === "string" ? typed : typed(shown());
      const isWhole = YES_OR_NO.test(frame) || ALONE.some((key) => keys.startsWith(key));
      child.stdin.write(isWhole ? keys : `${keys}\r`);
    });
    child.on("close", (status) => {
      clearTimeout(quiet);
      if (open.length > 0) return fail(`it ended with ${status} and did not ask "${open[0]?.[0]}"`);
      resolve({ status, shown: shown(), raw, scenes: [...scenes, raw.slice(answeredTo)] });
    });
  });
}
