import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { Secret } from "#platform/lib/secret.ts";
import { ChainKeys, RowDigest } from "./chain-keys.ts";

const text = readFileSync(new URL("../../../docs/formats/audit-record.md", import.meta.url), "utf8");
const [, vectors = ""] = text.split("## Vectors");
const fields = new Map(
  [...vectors.matchAll(/^\| ([^|]+) \| `([^`]*)` \|$/gm)].map(([, name, value]) => [name, value]),
);
const field = (name: string) => fields.get(name) ?? expect.fail(`no field ${name}`);
const bytes = (name: string) => Buffer.from(field(name), "hex");
const rowShape = z.object({
  seq: z.int(),
  time: z.int(),
  actor: z.string(),
  action: z.string(),
  target: z.string().nullable(),
  outcome: z.enum(["success", "failure", "denied"]),
  address: z.string().nullable(),
  request_id: z.string().nullable(),
  count: z.int(),
});
const [, secret = ""] = /^`([\w-]{43})`\.$/m.exec(vectors) ?? [];

describe("[W1] the format is the documented one", () => {
  const keys = new ChainKeys(new Secret(secret));
  const { chain } = keys;
  const row = (name: string) => ({ ...rowShape.parse(JSON.parse(field(name))), chain });
  const atRow43 = { chain, seq: 43, hash: bytes("hash of row 43") };

  test("the name of a chain, and its public key", () => {
    expect(fields.size).toBe(14);
    expect([keys.publicKey, chain]).toEqual([field("public key"), field("chain")]);
  });

  test("rows, each going on from the one before it", () => {
    const genesis = keys.genesis(41);
    expect(genesis).toEqual(bytes("genesis behind row 41"));
    expect(keys.rowHash(genesis, row("row 42"))).toEqual(bytes("hash of row 42"));
    expect(keys.rowHash(bytes("hash of row 42"), row("row 43"))).toEqual(atRow43.hash);
  });

  test("checkpoints, and nothing else that was signed", () => {
    const hash = bytes("genesis behind row 41");
    const start = { chain, number: 1, kind: "start" as const, seq: 41, time: 1_767_225_600_000, hash };
    const regular = { ...atRow43, number: 2, kind: "regular" as const, time: 1_767_225_900_000 };
    const signature = bytes("checkpoint 1, start, row 41, time 1767225600000");
    expect(keys.signCheckpoint(start)).toEqual(signature);
    expect(keys.isCheckpointSigned({ ...start, signature })).toBe(true);
    expect(keys.isCheckpointSigned({ ...start, kind: "regular", signature })).toBe(false);
    expect(keys.signCheckpoint(regular)).toEqual(bytes("checkpoint 2, regular, row 43, time 1767225900000"));
  });

  test("heads, anchors, notes, digests", () => {
    const head = { ...atRow43, checkpoint: 2, checkpoint_seq: 43, checkpoint_time: 1_767_225_900_000 };
    expect(keys.headMac(head)).toEqual(bytes("head at row 43, checkpoint 2"));
    const point = { ...atRow43, checkpoint: 2, time: 1_767_225_910_000 };
    expect(keys.signAnchor(point)).toEqual(bytes("anchor at row 43, checkpoint 2, time 1767225910000"));
    expect(keys.noteMac(field("note"))).toEqual(bytes("mac of the note"));
    const digest = new RowDigest();
    for (const name of ["row 42", "row 43"]) digest.add({ ...row(name), chain: "main", hash: null });
    expect(digest.end()).toBe(field("digest of rows 42 and 43 as chain main without hashes"));
  });
});
