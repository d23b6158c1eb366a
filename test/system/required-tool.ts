import { accessSync, constants } from "node:fs";
import path from "node:path";

/** The Debian package that brings each program that is run from here. */
const PACKAGES = {
  bash: "bash",
  chromium: "chromium",
  curl: "curl",
  faketime: "faketime",
  fish: "fish",
  git: "git",
  ip: "iproute2",
  mandoc: "mandoc",
  nginx: "nginx",
  openssl: "openssl",
  script: "bsdutils",
  strace: "strace",
  testssl: "testssl.sh",
  tshark: "tshark",
  zsh: "zsh",
} as const;

/** The absolute path of a program. A missing one fails the test or benchmark that asks: nothing is skipped. */
export function requiredTool(name: keyof typeof PACKAGES): string {
  const places = [...(process.env.PATH ?? "").split(path.delimiter), "/usr/sbin"];
  const found = places.map((place) => path.join(place, name)).find(isExecutable);
  if (found !== undefined) return found;
  throw new Error(
    `${name} is needed and not installed: run "apt-get install ${PACKAGES[name]}" and try again`,
  );
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
