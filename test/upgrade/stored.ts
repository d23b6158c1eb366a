import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import * as z from "zod";
import { storeFromText } from "./store-text.ts";

const STORES = path.join(import.meta.dirname, "stores");
const beside = z.object({
  /** The API key that was issued, in hex. */
  bearer: z.string(),
  /** What lay in `secrets/`, in hex. */
  files: z.array(z.object({ name: z.string(), hex: z.string() })),
});

/** The secrets that every one of these stores holds. */
export const HELD = ["vector-credential-of-a-provider", "vector-credential-with-a-name"];

/** The versions of which there is a store as a program of that version wrote it. */
export const VERSIONS = readdirSync(STORES)
  .flatMap((name) => /^version-(\d+)\.sql$/.exec(name)?.[1] ?? [])
  .map(Number)
  .toSorted((one, other) => one - other);

/** Makes a data directory with the store of that version, and gives the API key that it knows. */
export function placeStore(version: number, dataDir: string): { bearer: string } {
  const text = (ending: string) => readFileSync(path.join(STORES, `version-${version}.${ending}`), "utf8");
  const { bearer, files } = beside.parse(JSON.parse(text("json")));
  for (const name of ["", "db", "secrets"])
    mkdirSync(path.join(dataDir, name), { mode: 0o700, recursive: true });
  storeFromText(path.join(dataDir, "db", "data.sqlite"), text("sql"));
  for (const { name, hex } of files)
    writeFileSync(path.join(dataDir, "secrets", name), Buffer.from(hex, "hex"), { mode: 0o400 });
  return { bearer: Buffer.from(bearer, "hex").toString() };
}
