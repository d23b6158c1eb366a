import { chmodSync, chownSync, globSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { writeCredentials } from "#services/cluster/credential-files.ts";
import { madeUpCredentials } from "#test/cluster-credentials.ts";
import { claviger, scratch, serve } from "#test/start/process.ts";
import { runProgram } from "./run-program.ts";

vi.setConfig({ testTimeout: 120_000 });

const CHECKOUT = path.resolve(import.meta.dirname, "../..");
const NOBODY = 65_534;
/** Of files that Claviger did not make: the operator's script, and keys in files, for whose reader others have tests. */
const NOT_OURS = [
  "docs/remote.md: chmod 0400",
  "docs/runbooks/backup.md: chmod 0700 ~/claviger-backup",
  "docs/runbooks/server-key.md: chmod 0400",
];

/** `FILE: COMMAND` of every chmod and chown on any page, at the beginning of a line or of code in the text. */
function documented(): string[] {
  const pages = globSync(["README.md", "SECURITY.md", "docs/**/*.md"], { cwd: CHECKOUT });
  return pages.toSorted().flatMap((page) => {
    const text = readFileSync(path.join(CHECKOUT, page), "utf8");
    const found = text.matchAll(/^ *(ch(?:mod|own) .+)$|`(ch(?:mod|own) [^`\n]+)`/gm);
    return [...found].map(([, line, inline]) => `${page}: ${line ?? inline}`);
  });
}

const linesOf = (page: string) =>
  documented().flatMap((line) => (line.startsWith(`${page}: `) ? [line.slice(page.length + 2)] : []));

/** A data directory with every file of it, `.claviger` of a home of its own. */
async function made() {
  const home = scratch();
  const dataDir = path.join(home.root, ".claviger");
  {
    await using server = await serve(dataDir);
    await server.kill("SIGTERM");
  }
  const certs = path.join(dataDir, "etc", "certs");
  writeCredentials(path.join(dataDir, "etc", "credentials"), madeUpCredentials());
  mkdirSync(certs, { recursive: true });
  for (const name of ["claviger.crt", "claviger.key", "claviger.pfx", ".pfx_password"])
    writeFileSync(path.join(certs, name), "made up");
  const all = ["", ...readdirSync(dataDir, { recursive: true, encoding: "utf8" })];
  const paths = all.map((name) => path.join(dataDir, name));
  const env = { HOME: home.root };
  return {
    dataDir,
    paths,
    doctor: () => claviger(["doctor", "--json"], { env }),
    async sh(lines: readonly string[], cwd = dataDir): Promise<void> {
      const given = { ...env, PATH: process.env.PATH, DATA_DIR: dataDir, OWNER: String(NOBODY) };
      const ran = await runProgram("sh", ["-euc", lines.join("\n")], { cwd, env: given });
      expect([ran.status, ran.stderr]).toEqual([0, ""]);
    },
    [Symbol.dispose]: () => home[Symbol.dispose](),
  };
}

const problems = ({ stdout }: { readonly stdout: string }): { path: string; repair: string }[] =>
  JSON.parse(stdout).problems;
let place: Awaited<ReturnType<typeof made>>;
beforeAll(async () => {
  place = await made();
}, 60_000);
afterAll(() => place[Symbol.dispose]());
const SOUND = { ok: true, problems: [], cluster: null, missing_credentials: [] };

test("[N8] every chmod and chown of the docs is one whose outcome a test knows", () => {
  const tested = ["README.md", "docs/cluster.md", "docs/configuration.md"];
  const others = documented().filter((line) => !tested.some((page) => line.startsWith(`${page}: `)));
  expect(others).toEqual(NOT_OURS);
  expect(tested.map((page) => linesOf(page).length)).toEqual([1, 2, 7]);
});

test("[N8] the chmod and chown lines of the docs lead from any modes and owners to those that are checked", async () => {
  for (const [at, file] of place.paths.entries()) {
    chmodSync(file, 0o777);
    chownSync(file, at % 2, 0);
  }
  expect(problems(await place.doctor()).length).toBeGreaterThan(15);
  await place.sh(linesOf("docs/configuration.md"));
  expect(JSON.parse((await place.doctor()).stdout)).toEqual(SOUND);
});

test("[N8] [C12] those of a cluster's credentials open the cluster again", async () => {
  await place.sh(linesOf("docs/configuration.md"));
  for (const file of place.paths.filter((each) => each.includes("credentials"))) chmodSync(file, 0o777);
  expect(JSON.parse((await place.doctor()).stdout).cluster).not.toBeNull();
  await place.sh(linesOf("docs/cluster.md"), path.join(place.dataDir, "etc"));
  expect(JSON.parse((await place.doctor()).stdout)).toEqual(SOUND);
});

test("[N8] what the README breaks is found, and the repair that is printed leads back", async () => {
  await place.sh(linesOf("docs/configuration.md"));
  await place.sh(linesOf("README.md"));
  const found = problems(await place.doctor());
  expect(found.map((each) => path.relative(place.dataDir, each.path))).toEqual(["secrets/machine.key"]);
  await place.sh(found.map(({ repair }) => repair));
  expect(JSON.parse((await place.doctor()).stdout)).toEqual(SOUND);
});
