import type { Readable } from "node:stream";
import { Secret } from "#platform/lib/secret.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { readSecret } from "../prompt.ts";

/** As many as the API takes for one provider, each of the length it takes. */
const MOST = 16;
const MAX_INPUT_BYTES = MOST * (8 * 1024 + 2);

/** A credential as the API takes it. */
export interface CredentialBody {
  readonly type: "api_key";
  readonly value: string;
}

/** One credential, asked for at a terminal or the next line of stdin. */
export async function askCredential(name: string): Promise<CredentialBody> {
  const isTerminal = process.stdin.isTTY === true;
  return bodyOf(await readSecret({ label: `API key of ${name}`, input: process.stdin, isTerminal }));
}

/** One credential asked for at a terminal, or every line of stdin until its end. Throws CliError 64 for none, 65. */
export async function askPool(name: string): Promise<readonly CredentialBody[]> {
  if (process.stdin.isTTY === true) return [await askCredential(name)];
  const lines = (await readToEnd(process.stdin)).split(/\r?\n/).filter((line) => line !== "");
  if (lines.length === 0)
    throw new CliError(`API key of ${name}: nothing was given`, {
      exitCode: EXIT.usage,
      repair: "give the keys on stdin, one a line",
    });
  return lines.map((line) => bodyOf(new Secret(line)));
}

async function readToEnd(input: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of input) {
    const read = Buffer.from(chunk);
    bytes += read.length;
    if (bytes > MAX_INPUT_BYTES)
      throw new CliError(`stdin holds more than ${MOST} keys`, { exitCode: EXIT.data });
    chunks.push(read);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
  } catch (cause) {
    throw new CliError("the input is not UTF-8", { exitCode: EXIT.data, cause });
  }
}

function bodyOf(secret: Secret): CredentialBody {
  return { type: "api_key", value: secret.expose() };
}
