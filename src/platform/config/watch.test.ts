import { mkdirSync, mkdtempDisposableSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { watchText } from "./watch.ts";

/** Saves, and settles when the watch has told of it. */
async function toldOf(path: string, save: () => void): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  using _watch = watchText(path, { maxBytes: 1024, changed: resolve });
  save();
  await promise;
}

test("[I13] a file is seen to change in all the ways it is saved", async () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), "claviger-watch-"));
  const at = (name: string) => join(directory.path, name);
  const path = at("claviger.yaml");
  writeFileSync(path, "a: 1\n");
  // In place, as `nano` does.
  await toldOf(path, () => writeFileSync(path, "a: 2\n"));
  // Beside it, then moved over it, as `sed -i` and most editors do.
  await toldOf(path, () => {
    writeFileSync(at(".new"), "a: 3\n");
    renameSync(at(".new"), path);
  });
  // Moved away, and written anew, as `vim` does.
  await toldOf(path, () => {
    renameSync(path, at("claviger.yaml~"));
    writeFileSync(path, "a: 4\n");
  });
});

test("[I13] a link that is turned elsewhere is a change, on the way to the file too", async () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), "claviger-watch-"));
  const at = (...names: string[]) => join(directory.path, ...names);
  for (const version of ["one", "two", "three"]) {
    mkdirSync(at(version));
    writeFileSync(at(version, "claviger.yaml"), `version: ${version}\n`);
  }
  mkdirSync(at("seen"));
  symlinkSync("one", at("data"));
  symlinkSync("../data/claviger.yaml", at("seen", "claviger.yaml"));
  const path = at("seen", "claviger.yaml");
  await toldOf(path, () => {
    symlinkSync("two", at("data-new"));
    renameSync(at("data-new"), at("data"));
  });
  await toldOf(path, () => {
    rmSync(path);
    symlinkSync("../three/claviger.yaml", path);
  });
});

test("[I13] a file saved as it was, or gone, is no change; what is half written is not told of", async () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), "claviger-watch-"));
  const path = join(directory.path, "claviger.yaml");
  const texts: string[] = [];
  writeFileSync(path, "first\n");
  const { promise, resolve } = Promise.withResolvers<void>();
  let expected = "";
  using _watch = watchText(path, {
    maxBytes: 1024,
    changed: () => {
      texts.push(expected);
      resolve();
    },
  });
  writeFileSync(path, "first\n");
  rmSync(path);
  writeFileSync(path, "");
  writeFileSync(path, "sec");
  expected = "second";
  writeFileSync(path, "second\n");
  await promise;
  expect(texts).toEqual(["second"]);
});
