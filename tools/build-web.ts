/*
 * `npm run build:web`: the dashboard as the server serves it, in web/dist: what vite makes of web/, each file that gains by
 * it compressed beside itself, the list of the pages, and the digest of what all of it was made of.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const WEB = path.resolve(import.meta.dirname, "../web");
/** Built here and then moved, so that a build that fails or is cut short leaves the last one in place. */
const DRAFT = path.join(WEB, "dist.draft");
const BUILT = path.join(WEB, "dist");
/** What is compressed already, or is sent with another nonce each time. */
const LEFT_PLAIN = /\.(png|ico|woff2|br|gz)$|^index\.html$|^pages\.json$/;
const WORTH_BYTES = 512;

const [stamp] = process.argv.slice(2);
rmSync(DRAFT, { recursive: true, force: true });
const vite = path.join(WEB, "node_modules", "vite", "bin", "vite.js");
const { status } = spawnSync(process.execPath, [vite, "build", "--outDir", DRAFT, "--logLevel", "warn"], {
  cwd: WEB,
  stdio: "inherit",
});
if (status === 0) finish();
else process.exitCode = status ?? 1;

function finish(): void {
  for (const name of readdirSync(DRAFT, { recursive: true, encoding: "utf8" })) {
    const file = path.join(DRAFT, name);
    if (!LEFT_PLAIN.test(name) && path.extname(name) !== "") compress(file, readFileSync(file));
  }
  copyFileSync(path.join(WEB, "pages.json"), path.join(DRAFT, "pages.json"));
  if (stamp !== undefined) writeFileSync(path.join(DRAFT, ".stamp"), stamp);
  rmSync(BUILT, { recursive: true, force: true });
  renameSync(DRAFT, BUILT);
}

function compress(file: string, plain: Buffer): void {
  if (plain.length < WORTH_BYTES) return;
  const brotli = brotliCompressSync(plain, {
    params: { [constants.BROTLI_PARAM_SIZE_HINT]: plain.length },
  });
  writeFileSync(`${file}.br`, brotli);
  writeFileSync(`${file}.gz`, gzipSync(plain, { level: constants.Z_BEST_COMPRESSION }));
}
