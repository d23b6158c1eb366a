import {
  chmodSync,
  closeSync,
  existsSync,
  fchmodSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { COMMIT_MARK, CREDENTIAL_FILES, type CredentialFile, draftOf, LEAVE_MARK } from "./credential-set.ts";

const DIRECTORY_MODE = 0o700;
const FILE_MODE = 0o400;

/** What a writing does to the disk, handed in so that tests can cut it off anywhere. */
export interface DiskSteps {
  /** Makes a file that is not there yet, of mode 0400, its content on the disk. */
  create(path: string, text: string): void;
  rename(from: string, to: string): void;
  remove(path: string): void;
  /** Makes the names in a directory outlive a power cut. */
  sync(directory: string): void;
}

/** What happens on a real disk. */
export const realDisk: DiskSteps = {
  create: (path, text) => {
    const descriptor = openSync(path, "wx", FILE_MODE);
    try {
      // The umask may have taken bits.
      fchmodSync(descriptor, FILE_MODE);
      writeFileSync(descriptor, text, "latin1");
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  },
  rename: renameSync,
  // Whatever stands in the place of a file: a directory too.
  remove: (path) => rmSync(path, { force: true, recursive: true }),
  sync: (directory) => {
    const descriptor = openSync(directory, "r");
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  },
};

/**
 * Puts all the files in the place of those before, or none, wherever it is cut off: drafts first, then the mark that they
 * count, then their names. The directory is made where it is missing. Throws system errors.
 */
export function writeCredentialSet(
  directory: string,
  texts: Readonly<Record<CredentialFile, string>>,
  disk: DiskSteps = realDisk,
): void {
  if (!existsSync(directory)) {
    mkdirSync(directory, { mode: DIRECTORY_MODE });
    chmodSync(directory, DIRECTORY_MODE);
    disk.sync(dirname(directory));
  }
  finishRemoving(directory, disk);
  finishWriting(directory, disk);
  for (const file of CREDENTIAL_FILES) disk.remove(join(directory, draftOf(file)));
  for (const file of CREDENTIAL_FILES) disk.create(join(directory, draftOf(file)), texts[file]);
  disk.sync(directory);
  disk.create(join(directory, COMMIT_MARK), "");
  disk.sync(directory);
  finishWriting(directory, disk);
}

/** Gives the drafts of a writing that was cut off behind its mark their names; nothing where there is no mark. */
export function finishWriting(directory: string, disk: DiskSteps = realDisk): void {
  const mark = join(directory, COMMIT_MARK);
  if (!existsSync(mark)) return;
  for (const file of CREDENTIAL_FILES) {
    const draft = join(directory, draftOf(file));
    if (existsSync(draft)) disk.rename(draft, join(directory, file));
  }
  disk.sync(directory);
  disk.remove(mark);
  disk.sync(directory);
}

/** Takes the files away, all or none, wherever it is cut off. Throws system errors. */
export function removeCredentialSet(directory: string, disk: DiskSteps = realDisk): void {
  if (!existsSync(directory)) return;
  beginRemoving(directory, disk);
  finishRemoving(directory, disk);
}

/** From here on the files count no more; `finishRemoving` takes them away, and what this gives makes them count again. */
export function beginRemoving(directory: string, disk: DiskSteps = realDisk): () => void {
  const mark = join(directory, LEAVE_MARK);
  if (!existsSync(mark)) disk.create(mark, "");
  disk.sync(directory);
  return () => {
    disk.remove(mark);
    disk.sync(directory);
  };
}

/** Ends a removal that was cut off behind its mark; nothing where there is no mark. */
export function finishRemoving(directory: string, disk: DiskSteps = realDisk): void {
  const mark = join(directory, LEAVE_MARK);
  if (!existsSync(mark)) return;
  for (const file of CREDENTIAL_FILES) {
    disk.remove(join(directory, draftOf(file)));
    disk.remove(join(directory, file));
  }
  disk.remove(join(directory, COMMIT_MARK));
  disk.sync(directory);
  disk.remove(mark);
  disk.sync(directory);
}
