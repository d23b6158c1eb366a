import { type FSWatcher, lstatSync, readlinkSync, watch } from "node:fs";
import { dirname, isAbsolute, join, resolve, sep } from "node:path";

/** Files are replaced one after the other: what is seen between is not yet the new pair. */
const SETTLE_MS = 100;
const MOST_LINKS = 40;

/**
 * Calls `onChange` shortly after something in a directory changed that leads to one of `paths`, where a symbolic link on
 * the way is swapped too. A directory that cannot be watched is left out.
 */
export function watchPaths(paths: readonly string[], onChange: () => void): Disposable {
  let watchers: FSWatcher[] = [];
  let timer: NodeJS.Timeout | undefined;
  const close = () => {
    for (const watcher of watchers) watcher.close();
    watchers = [];
  };
  const arm = () => {
    close();
    const directories = new Set(paths.flatMap((path) => directoriesOnTheWay(path)));
    for (const directory of directories) {
      try {
        const watcher = watch(directory, { persistent: false }, changed);
        watchers.push(watcher.on("error", () => watcher.close()));
      } catch {
        // Gone, closed to us, or the system's limit of watches is reached.
      }
    }
  };
  const changed = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      // The way may lead elsewhere now.
      arm();
      onChange();
    }, SETTLE_MS).unref();
  };
  arm();
  return {
    [Symbol.dispose]: () => {
      clearTimeout(timer);
      close();
    },
  };
}

/** The directory of the file, and of every symbolic link that is followed on the way to it. */
function directoriesOnTheWay(path: string): string[] {
  const found = new Set<string>();
  let left = resolve(path)
    .split(sep)
    .filter((part) => part !== "");
  let at = "/";
  for (let links = 0; left.length > 0 && links <= MOST_LINKS; ) {
    const [part = "", ...rest] = left;
    const next = resolve(at, part);
    const target = linkTarget(next);
    if (target === undefined) {
      if (rest.length === 0) found.add(dirname(next));
      at = next;
      left = rest;
      continue;
    }
    found.add(at);
    links += 1;
    left = [
      ...(isAbsolute(target) ? target : join(at, target)).split(sep).filter((name) => name !== ""),
      ...rest,
    ];
    at = "/";
  }
  return [...found];
}

function linkTarget(path: string): string | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined;
  } catch {
    return undefined;
  }
}
