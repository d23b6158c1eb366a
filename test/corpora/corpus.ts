import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { z } from "zod";

/** The directory of published test data, or undefined when this run goes without. */
export const corporaDirectory = process.env.CLAVIGER_CORPORA;

/** One file of it, checked; throws when there is no such file or it has another form. */
export function readCorpus<T>(file: string, schema: z.ZodType<T>): T {
  if (corporaDirectory === undefined) throw new Error("CLAVIGER_CORPORA names no directory.");
  return schema.parse(JSON.parse(readFileSync(join(corporaDirectory, file), "utf8")));
}
