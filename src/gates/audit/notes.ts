import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { constantTimeEqual } from "#platform/lib/hmac.ts";
import type { Secret } from "#platform/lib/secret.ts";
import { ChainKeys } from "./chain-keys.ts";
import type { TimedEntry } from "./record.ts";

const text = z.string().nullable();
const noteShape = z.object({
  time: z.int(),
  actor: z.string(),
  action: z.string(),
  target: text,
  outcome: z.enum(["success", "failure", "denied"]),
  address: text,
  requestId: text,
  count: z.int(),
  restored: z.boolean(),
});

/** What happened while no server could write it into the chain. */
export type AuditNote = TimedEntry & {
  /** Whether the store is another one from now on: then what stands outside it of where its chain ended counts no more. */
  readonly restored: boolean;
};

/**
 * Leaves a record for the next start to write, from a command that works without a server. `secret` is the audit's of the
 * data directory the server will start on. On the disk when this returns. Throws what the file system throws.
 */
export function leaveAuditNote(dataDir: string, secret: Secret, note: AuditNote): void {
  const line = JSON.stringify(noteShape.parse(note));
  const mac = new ChainKeys(secret).noteMac(line).toString("hex");
  const file = openSync(notesPath(join(dataDir, "db")), "a", 0o600);
  const before = fstatSync(file).size;
  try {
    writeFileSync(file, `${mac} ${line}\n`);
    fsyncSync(file);
  } catch (error) {
    // Half a line would be taken for one that somebody put in, and the next for its other half.
    ftruncateSync(file, before);
    throw error;
  } finally {
    closeSync(file);
  }
}

/** The notes left in the store's directory, in order, and how many lines there are not of this secret. */
export function readNotes(directory: string, keys: ChainKeys): { notes: AuditNote[]; forged: number } {
  const lines = readLines(notesPath(directory));
  const notes = lines.flatMap((line) => parseNote(line, keys) ?? []);
  return { notes, forged: lines.length - notes.length };
}

/** Once they are written in the chain. */
export function removeNotes(directory: string): void {
  rmSync(notesPath(directory), { force: true });
}

function notesPath(directory: string): string {
  return join(directory, "audit.notes");
}

function parseNote(line: string, keys: ChainKeys): AuditNote | undefined {
  const [, mac, json] = /^([0-9a-f]{64}) (\{.*\})$/.exec(line) ?? [];
  if (mac === undefined || json === undefined) return undefined;
  if (!constantTimeEqual(Buffer.from(mac, "hex"), keys.noteMac(json))) return undefined;
  return noteShape.parse(JSON.parse(json));
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, "utf8")
      .split("\n")
      .filter((line) => line !== "");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}
