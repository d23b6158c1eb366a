import { spawn } from "node:child_process";
import path from "node:path";
import { stripVTControlCharacters } from "node:util";
import { requiredTool } from "./required-tool.ts";

const MAIN = path.resolve(import.meta.dirname, "../../src/main.ts");
/** Without a word for so long, a program will not say one any more, however loaded the machine is. */
const QUIET_MS = 60_000;
/**
 * A question as it is drawn whole: its mark, its words, what it shows below them, its end. It is drawn in raw mode, which
 * is where keys are taken one by one; an answer that came before would be echoed, and its Enter taken for another key.
 */
const FRAME = /^[◆▲] {2}([\s\S]*?)^└.*$/m;
const YES_OR_NO = /[●○] Yes \/ [●○] No/;
/** Ctrl-C, Escape and the arrows do their work without Enter. */
const ALONE = ["\u0003", "\u001b"];

/** Words of a question, and what is typed there; Enter follows where the question waits for it. */
export type TerminalAnswer = readonly [question: string, typed: string];

export interface TerminalRun {
  /** The exit status; null when a signal ended it. */
  readonly status: number | null;
  /** All that was shown, without control sequences. */
  readonly shown: string;
  /** As the terminal got it. */
  readonly raw: string;
}

export interface TerminalOptions {
  /** What runs the terminal itself, as `ip netns exec NAME` does. */
  readonly enter?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly columns?: number;
}

/** Runs a command of the program at a terminal and answers each question once, when it is its turn: see `drive`. */
export function atTerminal(
  words: readonly string[],
  answers: readonly TerminalAnswer[],
  options: TerminalOptions = {},
): Promise<TerminalRun> {
  const { enter = [], env = process.env, columns = 200 } = options;
  const command = [process.execPath, MAIN, ...words].map((word) => `'${word.replaceAll("'", "'\\''")}'`);
  // The terminal is as large as its driver, which has no size.
  const line = `stty rows 50 cols ${columns}; exec ${command.join(" ")}`;
  const [file = "", ...args] = [...enter, requiredTool("script"), "-qec", line, "/dev/null"];
  return drive(file, args, { answers, env: { TERM: "xterm", ...env } });
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
      answeredTo = raw.length;
      const isWhole = YES_OR_NO.test(frame) || ALONE.some((key) => typed.startsWith(key));
      child.stdin.write(isWhole ? typed : `${typed}\r`);
    });
    child.on("close", (status) => {
      clearTimeout(quiet);
      if (open.length > 0) return fail(`it ended with ${status} and did not ask "${open[0]?.[0]}"`);
      resolve({ status, shown: shown(), raw });
    });
  });
}
