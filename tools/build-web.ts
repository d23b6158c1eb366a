/*
 * The dashboard as the server serves it, in web/dist: what vite makes of web/, each file that gains by
 * it compressed beside itself, the list of the pages, and the digest of what all of it was made of.
 */
import { spawn } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { constants } from "node:os";
import path from "node:path";
import { brotliCompressSync, gzipSync, constants as zlib } from "node:zlib";

const WEB = path.resolve(import.meta.dirname, "../web");
/** Built here and then moved, so that a build that fails or is cut short leaves the last one in place. */
const DRAFT = path.join(WEB, "dist.draft");
const BUILT = path.join(WEB, "dist");
/** Moved away at once, and removed later: nobody who starts meanwhile finds half of it. */
const REPLACED = path.join(WEB, "dist.old");
/** What is compressed already, or is sent with another nonce each time. */
const LEFT_PLAIN = /\.(png|ico|woff2|br|gz)$|^index\.html$|^pages\.json$/;
const WORTH_BYTES = 512;

const [stamp] = process.argv.slice(2);
rmSync(DRAFT, { recursive: true, force: true });
const vite = path.join(WEB, "node_modules", "vite", "bin", "vite.js");
const building = spawn(process.execPath, [vite, "build", "--outDir", DRAFT, "--logLevel", "warn"], {
  cwd: WEB,
  stdio: "inherit",
});
// Who ends the build ends all of it: what went on would write into the next one's draft.
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const)
  process.on(signal, () => void building.kill(signal));
building.on("exit", (status, signal) => {
  if (status === 0) finish();
  else process.exitCode = signal === null ? (status ?? 1) : 128 + constants.signals[signal];
});

function finish(): void {
  for (const name of readdirSync(DRAFT, { recursive: true, encoding: "utf8" })) {
    const file = path.join(DRAFT, name);
    if (!LEFT_PLAIN.test(name) && path.extname(name) !== "") compress(file, readFileSync(file));
  }
  copyFileSync(path.join(WEB, "pages.json"), path.join(DRAFT, "pages.json"));
  if (stamp !== undefined) writeFileSync(path.join(DRAFT, ".stamp"), stamp);
  rmSync(REPLACED, { recursive: true, force: true });
  if (existsSync(BUILT)) renameSync(BUILT, REPLACED);
  renameSync(DRAFT, BUILT);
  rmSync(REPLACED, { recursive: true, force: true });
}

function compress(file: string, plain: Buffer): void {
  if (plain.length < WORTH_BYTES) return;
  const brotli = brotliCompressSync(plain, {
    params: { [zlib.BROTLI_PARAM_SIZE_HINT]: plain.length },
  });
  writeFileSync(`${file}.br`, brotli);
  writeFileSync(`${file}.gz`, gzipSync(plain, { level: zlib.Z_BEST_COMPRESSION }));
}
