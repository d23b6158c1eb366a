import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import * as z from "zod";
import { storeFromText } from "./store-text.ts";

const DIRECTORY = path.join(import.meta.dirname, "stores");
const text = z.string().transform((hex) => Buffer.from(hex, "hex").toString());
const beside = z.object({
  /** The API key that was issued; all in hex. */
  bearer: text,
  /** The server key and the recovery key, where there are any. */
  serverKey: text.optional(),
  recoveryKey: text.optional(),
  /** What lay in `secrets/`. */
  files: z.array(z.object({ name: z.string(), text })),
});

/** What a store was made with. */
export type Stored = Omit<z.infer<typeof beside>, "files">;

/** The secrets that every one of these stores holds. */
export const HELD = ["vector-credential-of-a-provider", "vector-credential-with-a-name"];

/** The stores that there are, each as a program of its version wrote it: `8`, `12-with-key`; the oldest first. */
export function listStores(): string[] {
  return readdirSync(DIRECTORY)
    .flatMap((name) => /^version-(.+)\.sql$/.exec(name)?.[1] ?? [])
    .toSorted((one, other) => versionOf(one) - versionOf(other));
}

export function versionOf(store: string): number {
  return Number.parseInt(store, 10);
}

/** Makes a data directory with the store of that name, and gives what it was made with. */
export function placeStore(store: string, dataDir: string): Stored {
  const read = (ending: string) => readFileSync(path.join(DIRECTORY, `version-${store}.${ending}`), "utf8");
  const { files, ...made } = beside.parse(JSON.parse(read("json")));
  for (const name of ["", "db", "secrets"])
    mkdirSync(path.join(dataDir, name), { mode: 0o700, recursive: true });
  storeFromText(path.join(dataDir, "db", "data.sqlite"), read("sql"));
  for (const { name, text: content } of files)
    writeFileSync(path.join(dataDir, "secrets", name), content, { mode: 0o400 });
  return made;
}
