import { accessSync, constants } from "node:fs";
import path from "node:path";

/** The Debian package that brings each program these tests run. */
const PACKAGES = {
  chromium: "chromium",
  curl: "curl",
  git: "git",
  openssl: "openssl",
  strace: "strace",
} as const;

/** The absolute path of a program. A missing one fails the test that asks: here nothing is skipped. */
export function requiredTool(name: keyof typeof PACKAGES): string {
  const places = [...(process.env.PATH ?? "").split(path.delimiter), "/usr/sbin"];
  const found = places.map((place) => path.join(place, name)).find(isExecutable);
  if (found !== undefined) return found;
  throw new Error(`these tests need ${name}: run "apt-get install ${PACKAGES[name]}" and try again`);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
