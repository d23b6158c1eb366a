import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Secret } from "#platform/lib/secret.ts";
import { seededRandom } from "#test/seeded-random.ts";
import { bytesEntry } from "../config-files.ts";
import { CHUNK_BYTES } from "./chunks.ts";
import { openContainer, writeContainer } from "./container.ts";
import { encodeHead } from "./header.ts";
import { BackupProblem } from "./problem.ts";

const cost = { memoryKib: 64, passes: 1, lanes: 1 };
const password = new Secret(seededRandom(7).bytes(12).toString("hex"));
const facts = {
  created: "2026-01-02T03:04:05.678Z",
  server_version: "0.1.0",
  store_version: 12,
  node_id: "node_0000000000000000",
  server_key: "uninitialized",
  with_config: false,
} as const;
const TAG_BYTES = 16;

interface Made {
  readonly files?: Readonly<Record<string, Uint8Array>>;
  readonly password?: Secret;
  readonly seed?: number;
}

const SMALL = { "secrets/machine.key": Buffer.from("a machine key"), "db/data.sqlite": Buffer.from("a store") };

async function make({ files = SMALL, password: closed, seed = 1 }: Made = {}): Promise<Buffer> {
  const entries = Object.entries(files).map(([name, bytes]) => bytesEntry(name, bytes));
  const random = seededRandom(seed);
  return gather(writeContainer({ facts, entries }, { password: closed, cost, random }));
}

async function read(file: Uint8Array, using?: Secret, pieceBytes = file.length): Promise<Record<string, Buffer>> {
  const container = await openContainer(inPieces(file, pieceBytes));
  const files: Record<string, Buffer> = {};
  for await (const { name, content } of container.entries(using)) files[name] = await gather(content);
  return files;
}

async function gather(parts: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const part of parts) all.push(part);
  return Buffer.concat(all);
}

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** What is wrong with a file, as its reader is told; undefined for one that is whole. */
async function problemOf(file: Uint8Array, using?: Secret): Promise<string | undefined> {
  try {
    await read(file, using);
    return undefined;
  } catch (error) {
    if (error instanceof BackupProblem) return error.kind;
    throw error;
  }
}

function headBytes(file: Buffer): number {
  return 22 + file.readUInt32BE(18) + 32;
}

describe("the format is the documented one", () => {
  const text = readFileSync(new URL("../../../../docs/formats/backup.md", import.meta.url), "utf8");
  const vectors = text
    .split("### Vector ")
    .slice(1)
    .map((section) => new Map([...section.matchAll(/^\| ([a-z ]+) \| `([^`]*)` \|$/gm)].map(([, a = "", b = ""]) => [a, b])));

  test("the document has two vectors", () => {
    expect(vectors.map((vector) => vector.get("password"))).toEqual(["", "correct horse battery staple"]);
  });

  test.each(vectors)("[S14] vector %#", async (vector) => {
    const field = (name: string) => vector.get(name) ?? expect.fail(`no field ${name}`);
    const file = Buffer.from(field("backup"), "hex");
    const given = field("password") === "" ? undefined : new Secret(field("password"));
    const { header } = await openContainer(inPieces(file, 1));
    expect(JSON.stringify(header)).toBe(field("header"));
    const files = await read(file, given, 3);
    expect(Object.entries(files).map(([name, bytes]) => `${name}=${bytes.toString()}`).join(" ")).toBe(field("files"));
  });
});

test("[S14] whatever the sizes of files and pieces, what went in comes out", async () => {
  const edges = [0, 1, CHUNK_BYTES - 60, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES];
  for (const [seed, size] of edges.entries()) {
    const files = { "etc/claviger.yaml": seededRandom(seed).bytes(size), "db/data.sqlite": Buffer.alloc(size) };
    const file = await make({ files, seed });
    for (const piece of [file.length, 1000, 65536]) expect(await read(file, undefined, piece)).toEqual(files);
  }
});

test("[S14] a payload that fills its last chunk to the brim is whole, and one chunk more or less is not", async () => {
  // Of each entry: the length of its name, its name, its size, its bytes.
  const name = "db/data.sqlite";
  const files = { [name]: seededRandom(3).bytes(2 * CHUNK_BYTES - (2 + name.length + 8)) };
  const file = await make({ files });
  const start = headBytes(file);
  expect(file.length - start).toBe(2 * (CHUNK_BYTES + TAG_BYTES));
  expect(await read(file)).toEqual(files);
  expect(await problemOf(file.subarray(0, start + CHUNK_BYTES + TAG_BYTES))).toBe("damaged");
  expect(await problemOf(file.subarray(0, start))).toBe("damaged");
  expect(await problemOf(Buffer.concat([file, file.subarray(start)]))).toBe("damaged");
  expect(await problemOf(Buffer.concat([file, Buffer.alloc(TAG_BYTES)]))).toBe("damaged");
});

test("[S14] with and without a password, no byte of it can be changed", async () => {
  for (const closed of [undefined, password]) {
    const file = await make(closed === undefined ? {} : { password: closed });
    for (let at = 0; at < file.length; at++) {
      const changed = Buffer.from(file);
      changed.writeUInt8(changed.readUInt8(at) ^ (1 << (at % 8)), at);
      expect(["foreign", "newer", "damaged"], `byte ${at}`).toContain(await problemOf(changed, closed));
    }
  }
});

test("[S14] cut off anywhere, it is not whole", async () => {
  const file = await make();
  for (let length = 0; length < file.length; length++)
    expect(["foreign", "damaged"], `${length} bytes`).toContain(await problemOf(file.subarray(0, length)));
  expect(await problemOf(Buffer.concat([file, Buffer.from([0])]))).toBe("damaged");
});

test("[S14] its chunks cannot change places, be left out or come from another backup", async () => {
  const files = { "db/data.sqlite": seededRandom(5).bytes(4 * CHUNK_BYTES) };
  const [file, other] = [await make({ files }), await make({ files, seed: 2 })];
  const start = headBytes(file);
  const size = CHUNK_BYTES + TAG_BYTES;
  const chunk = (from: Buffer, number: number) => from.subarray(start + number * size, start + (number + 1) * size);
  const chunks = [0, 1, 2, 3, 4].map((number) => chunk(file, number));
  const build = (order: readonly number[]) =>
    Buffer.concat([file.subarray(0, start), ...order.map((number) => chunks[number] ?? Buffer.alloc(0))]);
  expect(await problemOf(build([0, 1, 2, 3, 4]))).toBeUndefined();
  for (const order of [[1, 0, 2, 3, 4], [0, 2, 3, 4], [0, 1, 2, 3], [0, 1, 1, 2, 3, 4], [4]])
    expect(await problemOf(build(order)), order.join()).toBe("damaged");
  const mixed = Buffer.concat([file.subarray(0, start), chunk(other, 0), file.subarray(start + size)]);
  expect(await problemOf(mixed)).toBe("damaged");
});

test("[S14] only its password opens it, and one that it has not is refused", async () => {
  const closed = await make({ password });
  expect(await read(closed, password)).toEqual(SMALL);
  expect(await problemOf(closed)).toBe("no_password");
  expect(await problemOf(closed, new Secret(`${password.expose()} `))).toBe("wrong_password");
  expect(await problemOf(await make(), password)).toBe("needless_password");
  expect(closed.includes("a machine key")).toBe(false);
});

test("[S14] a password typed in another form of Unicode is the same password", async () => {
  const closed = await make({ password: new Secret("Le caf\u00e9 de la gare") });
  expect(await read(closed, new Secret("Le cafe\u0301 de la gare"))).toEqual(SMALL);
});

test("[S14] another file, a newer format and a header without measure are refused before more is read", async () => {
  const file = await make();
  expect(await problemOf(Buffer.from("SQLite format 3\0 and so on"))).toBe("foreign");
  expect(await problemOf(Buffer.alloc(0))).toBe("foreign");
  const newer = Buffer.from(file);
  newer.writeUInt16BE(2, 16);
  expect(await problemOf(newer)).toBe("newer");
  const long = Buffer.from(file.subarray(0, 22));
  long.writeUInt32BE(0xffffffff, 18);
  const source = async function* () {
    yield long;
    expect.fail("read on");
  };
  await expect(openContainer(source())).rejects.toThrow(BackupProblem);
});

test("[S14] a header may ask for no more than a quarter of a gigabyte of memory", async () => {
  const { header } = await openContainer(inPieces(await make({ password }), 1000));
  for (const asked of [{ memory_kib: 64 * 1024 * 1024 }, { passes: 1000 }, { lanes: 255 }]) {
    const { bytes } = encodeHead({ ...header, file_key: { ...header.file_key, ...asked } });
    expect(await problemOf(bytes, password)).toBe("damaged");
  }
});

test("[S14] a name that leads out of the data directory, or is there twice, is none", async () => {
  for (const name of ["../x", "/etc/passwd", "etc/certs/..", "etc/certs/a/b", "db/data.sqlite-wal", ""])
    expect(() => bytesEntry(name, Buffer.alloc(1)), name).toThrow(BackupProblem);
  const entries = [1, 2].map((value) => bytesEntry("db/data.sqlite", Buffer.from([value])));
  const parts = writeContainer({ facts, entries }, { password: undefined, cost, random: seededRandom(1) });
  expect(await problemOf(await gather(parts))).toBe("damaged");
});

test("[S14] a file that changes while it is backed up breaks the backup off", async () => {
  for (const bytes of [6, 8]) {
    const entry = { ...bytesEntry("db/data.sqlite", Buffer.alloc(bytes)), size: 7 };
    const parts = writeContainer({ facts, entries: [entry] }, { password, cost, random: seededRandom(1) });
    await expect(gather(parts)).rejects.toThrow(/changed while/);
  }
});
