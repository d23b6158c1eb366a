import type { Readable, Writable } from "node:stream";
import { isCancel, password } from "@clack/prompts";
import { Secret } from "#platform/lib/secret.ts";
import { CliError, EXIT } from "./exit-codes.ts";

const MAX_SECRET_BYTES = 8 * 1024;
const NEWLINE = 0x0a;

/** What was read past a line's end, for the next secret from the same stream: a pipe may give several lines at once. */
const remainders = new WeakMap<Readable, Buffer>();

export interface SecretRequest {
  /** What is asked for, as the person reads it: `Server key`. */
  label: string;
  input: Readable;
  /** Whether a person types at `input`; else a line is read from it without a word. */
  isTerminal: boolean;
  /** Where the prompt is drawn; stderr unless said, so that a result on stdout can be piped. */
  output?: Writable;
}

/**
 * One secret of 1 byte to 8 KiB: typed unseen on a terminal, else the next line of `input` without its line end.
 * CliError: 64 nothing was given, 65 too long or not UTF-8, 1 cancelled at the prompt.
 */
export async function readSecret(request: SecretRequest): Promise<Secret> {
  const text = request.isTerminal ? await ask(request) : await readLine(request.input, request.label);
  if (text === "") {
    throw new CliError(`${request.label}: nothing was given`, {
      exitCode: EXIT.usage,
      repair: "type it at the prompt, or give it on stdin, one secret a line",
    });
  }
  if (Buffer.byteLength(text) > MAX_SECRET_BYTES) throw tooLong(request.label);
  return new Secret(text);
}

async function ask({ label, input, output = process.stderr }: SecretRequest): Promise<string> {
  const answer = await password({ message: label, input, output });
  if (isCancel(answer)) throw new CliError("cancelled; nothing was changed", { exitCode: EXIT.failed });
  return answer;
}

/** The next line of `input`, without its line end; empty where there is none. CliError 65: too long, or not UTF-8. */
export async function readLine(input: Readable, label: string): Promise<string> {
  let line = remainders.get(input) ?? Buffer.alloc(0);
  remainders.delete(input);
  if (!line.includes(NEWLINE)) {
    for await (const chunk of input.iterator({ destroyOnReturn: false })) {
      line = Buffer.concat([line, Buffer.from(chunk)]);
      if (line.includes(NEWLINE)) break;
      if (line.length > MAX_SECRET_BYTES) throw tooLong(label);
    }
  }
  const end = line.indexOf(NEWLINE);
  if (end < 0) return decode(line, label);
  remainders.set(input, line.subarray(end + 1));
  return decode(line.subarray(0, end), label);
}

/** Strict, because a byte replaced in silence would be another secret than the one meant. */
function decode(line: Buffer, label: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(line).replace(/\r$/, "");
  } catch (cause) {
    throw new CliError(`${label}: the input is not UTF-8`, { exitCode: EXIT.data, cause });
  }
}

function tooLong(label: string): CliError {
  return new CliError(`${label}: longer than ${MAX_SECRET_BYTES} bytes`, { exitCode: EXIT.data });
}
