import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { writeFileDurably } from "#platform/lib/file.ts";
import type { ChainKeys, Point } from "./chain-keys.ts";

const MODE = 0o600;
const FORMAT = 1;
const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`));
const shape = z.object({
  format: z.literal(FORMAT),
  chain: z.string(),
  seq: z.int(),
  hash: hex(32),
  checkpoint: z.int(),
  time: z.int(),
  signature: hex(64),
});

/** Where the chain had come to, kept outside the database: an old copy of the database does not bring an old one along. */
export class Anchor {
  readonly path: string;
  readonly #keys: ChainKeys;

  /** `directory`: the one the store is in. */
  constructor(directory: string, keys: ChainKeys) {
    this.path = join(directory, "audit.anchor");
    this.#keys = keys;
  }

  /** `forged`: there is a file, and it is not one that whoever has the chain's secret wrote. */
  read(): Point | "forged" | undefined {
    const text = readIfThere(this.path);
    if (text === undefined) return undefined;
    const parsed = shape.safeParse(parseOr(text));
    if (!parsed.success) return "forged";
    const { signature, hash, format: _, ...rest } = parsed.data;
    const point = { ...rest, hash: Buffer.from(hash, "hex") };
    return this.#keys.isAnchorSigned(point, Buffer.from(signature, "hex")) ? point : "forged";
  }

  /** Throws what the file system throws; a full disk is AppError `storage_full`. */
  async write(point: Point): Promise<void> {
    const { chain, seq, hash, checkpoint, time } = point;
    const signature = this.#keys.signAnchor(point).toString("hex");
    const hashText = Buffer.from(hash).toString("hex");
    const text = JSON.stringify({ format: FORMAT, chain, seq, hash: hashText, checkpoint, time, signature });
    await writeFileDurably(this.path, Buffer.from(`${text}\n`), MODE);
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

function parseOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
