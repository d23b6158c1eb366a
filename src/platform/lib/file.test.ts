import { mkdtemp, open, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type OpenFile, writeFileDurably } from "./file.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "claviger-file-"));
});
afterEach(() => rm(directory, { recursive: true }));

/** Opens for real, notes each step, and fails the named one with `code`. */
function openNoting(steps: string[], failing?: { step: string; code: string }): OpenFile {
  const note = (step: string) => {
    steps.push(step);
    if (step === failing?.step) throw Object.assign(new Error(failing.code), { code: failing.code });
  };
  return async (path, flags, mode) => {
    const handle = await open(path, flags, mode);
    const what = flags === "r" ? "directory" : "file";
    return {
      chmod: (newMode) => handle.chmod(newMode),
      writeFile: async (data) => {
        await handle.writeFile(data);
        note(`write ${what}`);
      },
      sync: async () => {
        await handle.sync();
        note(`sync ${what}`);
      },
      close: () => handle.close(),
    };
  };
}

test("the file has the bytes and the mode, whatever the umask, and nothing else is left", async () => {
  const path = join(directory, "key");
  const umask = process.umask(0o777);
  try {
    await writeFileDurably(path, Buffer.from("first"), 0o400);
  } finally {
    process.umask(umask);
  }
  expect(await readFile(path, "utf8")).toBe("first");
  expect((await stat(path)).mode & 0o7777).toBe(0o400);
  await writeFileDurably(path, Buffer.from("second"), 0o640);
  expect(await readFile(path, "utf8")).toBe("second");
  expect((await stat(path)).mode & 0o7777).toBe(0o640);
  expect(await readdir(directory)).toEqual(["key"]);
});

test("the bytes are on disk before the name is, and the name before it returns", async () => {
  const steps: string[] = [];
  await writeFileDurably(join(directory, "key"), Buffer.from("x"), 0o400, openNoting(steps));
  expect(steps).toEqual(["write file", "sync file", "sync directory"]);
});

test.each([
  { step: "write file", code: "ENOSPC" },
  { step: "sync file", code: "ENOSPC" },
  { step: "write file", code: "EDQUOT" },
])("a full disk ($code at $step) is storage_full and changes nothing", async (failing) => {
  const path = join(directory, "key");
  await writeFileDurably(path, Buffer.from("before"), 0o400);
  await expect(
    writeFileDurably(path, Buffer.from("after"), 0o400, openNoting([], failing)),
  ).rejects.toMatchObject({ name: "AppError", code: "storage_full" });
  expect(await readFile(path, "utf8")).toBe("before");
  expect(await readdir(directory)).toEqual(["key"]);
});

test("any other failure comes out as it is, with nothing left behind", async () => {
  const failing = { step: "sync file", code: "EIO" };
  const path = join(directory, "key");
  await expect(
    writeFileDurably(path, Buffer.from("x"), 0o400, openNoting([], failing)),
  ).rejects.toMatchObject({ code: "EIO" });
  expect(await readdir(directory)).toEqual([]);
  await expect(
    writeFileDurably(join(directory, "none", "key"), Buffer.from("x"), 0o400),
  ).rejects.toMatchObject({ code: "ENOENT" });
});
