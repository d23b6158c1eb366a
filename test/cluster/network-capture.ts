import { readFileSync } from "node:fs";
import { requiredTool } from "#test/system/required-tool.ts";
import { runProgram } from "#test/system/run-program.ts";

/** A message within JSON within a message. */
const MOST_WRAPPINGS = 3;

/** What was said over a network. */
export interface Conversations {
  /** The recording as it is, with what is no TCP. */
  readonly recorded: Buffer;
  /** What each connection carried, put together again from its packets: one direction after the other. */
  readonly carried: readonly Buffer[];
  /** The same of those over TLS, as who knows their keys reads it. */
  readonly decrypted: readonly Buffer[];
}

/** Reads a recording; `keyLog` has the keys of its TLS connections, as Node's `--tls-keylog` writes them. */
export async function readCapture(file: string, keyLog: string): Promise<Conversations> {
  const read = (...words: readonly string[]) => tshark(file, "-o", `tls.keylog_file:${keyLog}`, ...words);
  const stdout = await read("-T", "fields", "-e", "tcp.stream", "-Y", "tcp");
  const streams = new Set(stdout.split("\n").filter((line) => line !== ""));
  const followed = async (layer: "tcp" | "tls") => {
    const options = [...streams].flatMap((stream) => ["-z", `follow,${layer},raw,${stream}`]);
    return (await read("-q", ...options)).split(/^=+$/m).flatMap(bothDirections);
  };
  return {
    recorded: readFileSync(file),
    carried: await followed("tcp"),
    decrypted: await followed("tls"),
  };
}

/** How many packets of a recording are as `filter` says (wireshark-filter(4)). */
export async function packets(file: string, filter: string): Promise<number> {
  const stdout = await tshark(file, "-T", "fields", "-e", "frame.number", "-Y", filter);
  return stdout.split("\n").length - 1;
}

async function tshark(file: string, ...words: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await runProgram(requiredTool("tshark"), ["-n", "-r", file, ...words]);
  if (status !== 0) throw new Error(`tshark ${words.join(" ")}: ${stderr}`);
  return stdout;
}

/** Lines of hexadecimal digits; those of the one who answers begin with a tab. */
function bothDirections(text: string): Buffer[] {
  const lines = text.split("\n");
  return [/^[0-9a-f]+$/, /^\t[0-9a-f]+$/]
    .map((pattern) => lines.filter((line) => pattern.test(line)).join(""))
    .filter((digits) => digits !== "")
    .map((digits) => Buffer.from(digits.replaceAll("\t", ""), "hex"));
}

/** Which of the values are in any of these bytes or in what is encoded there, and how they are written. */
export function found(within: readonly Buffer[], values: Readonly<Record<string, Buffer>>): string[] {
  const all = within.flatMap((bytes) => unwrapped(bytes, MOST_WRAPPINGS));
  return Object.entries(values).flatMap(([name, value]) =>
    Object.entries(spellings(value))
      .filter(([, wanted]) => all.some((bytes) => bytes.includes(wanted)))
      .map(([spelling]) => `${name} as ${spelling}`),
  );
}

/** The bytes, and those that runs of base64 or hexadecimal digits in them stand for, and so on. */
function unwrapped(bytes: Buffer, wrappings: number): Buffer[] {
  if (wrappings === 0) return [bytes];
  const runs = bytes.toString("latin1").match(/[A-Za-z0-9+/_-]{24,}/g) ?? [];
  const inner = runs.flatMap((run) => [
    Buffer.from(run, "base64"),
    ...(/^[0-9a-f]+$/i.test(run) ? [Buffer.from(run, "hex")] : []),
  ]);
  return [bytes, ...inner.flatMap((one) => unwrapped(one, wrappings - 1))];
}

/** Wherever in a longer text the bytes begin, base64 has three ways to write them; the signs at its ends are others' too. */
function spellings(value: Buffer): Record<string, Buffer | string> {
  const inBase64 = [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), value]).toString("base64url");
    const [first, last] = [Math.ceil((before * 8) / 6), Math.floor(((before + value.length) * 8) / 6)];
    return text.slice(first, last);
  });
  const hex = value.toString("hex");
  return Object.fromEntries([
    ["bytes", value],
    ["hex", hex],
    ["HEX", hex.toUpperCase()],
    ...inBase64.flatMap((text, at) => [
      [`base64url ${at}`, text],
      [`base64 ${at}`, text.replaceAll("-", "+").replaceAll("_", "/")],
    ]),
  ]);
}
