import { isDeepStrictEqual } from "node:util";
import { type LoadedPair, pathsOf, type TlsFiles } from "./material.ts";
import { readPair } from "./read-pair.ts";
import { watchPaths } from "./watch.ts";

/** The pairs of one listener, kept as new as their files. */
export interface Certificates extends Disposable {
  readonly current: readonly LoadedPair[];
  /** Reads the files again now. */
  check(): void;
}

/**
 * Reads the pairs, and again whenever their files change. A pair that is broken then changes nothing: `onBroken` is told
 * why, once for each reason. Throws StartError when one is broken now.
 */
export function openCertificates(
  files: readonly TlsFiles[],
  told: {
    readonly onChange: (pairs: readonly LoadedPair[]) => void;
    readonly onBroken: (reason: string) => void;
  },
): Certificates {
  let current = files.map(readPair);
  let lastReason: string | undefined;
  const check = () => {
    try {
      const found = files.map(readPair);
      lastReason = undefined;
      if (isDeepStrictEqual(found, current)) return;
      current = found;
    } catch (error) {
      const reason = error instanceof Error ? error.message : "";
      if (reason !== lastReason) told.onBroken(reason);
      lastReason = reason;
      return;
    }
    told.onChange(current);
  };
  const watching = watchPaths(files.flatMap(pathsOf), check);
  return {
    get current() {
      return current;
    },
    check,
    [Symbol.dispose]: () => watching[Symbol.dispose](),
  };
}
