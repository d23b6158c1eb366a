import { existsSync, readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import type { DashboardFile, DashboardFiles } from "#platform/http/dashboard.ts";
import { sha256 } from "#platform/lib/hmac.ts";
import type { Log } from "#platform/log/log.ts";

/** Where `tools/build-web.ts` puts what it builds; the bundle has it beside itself. */
export const BUILT_DASHBOARD = fileURLToPath(new URL("../../web/dist/", import.meta.url));

const NONCE_PLACE = "__CSP_NONCE__";
const DOCUMENT = "index.html";
const PAGES = "pages.json";
const STAMP = ".stamp";
const CODED = { br: ".br", gzip: ".gz" } as const;
const MEDIA_TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
  ".woff2": "font/woff2",
};
const pagePaths = z.array(z.string().regex(/^\/([\w.:-]+(\/[\w.:-]+)*)?$/));

/** The built dashboard, read whole; undefined where none is there, or one that is damaged, which the log tells. */
export function readDashboard(directory: string, log: Log): DashboardFiles | undefined {
  if (!existsSync(join(directory, DOCUMENT))) return undefined;
  try {
    const names = readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name).slice(join(directory, "/").length));
    const written = new Set(names);
    const isCoded = (name: string) =>
      Object.values(CODED).some(
        (suffix) => name.endsWith(suffix) && written.has(name.slice(0, -suffix.length)),
      );
    const own = names.filter((name) => ![DOCUMENT, PAGES, STAMP].includes(name) && !isCoded(name));
    return {
      pages: pagePaths.parse(JSON.parse(readFileSync(join(directory, PAGES), "utf8"))),
      document: readFileSync(join(directory, DOCUMENT), "utf8").split(NONCE_PLACE),
      files: own.map((name) => readOne(directory, name, written)),
    };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    log.warn(
      { detail },
      "the built dashboard cannot be read and is not served; build it anew with: npm run build:web",
    );
    return undefined;
  }
}

function readOne(directory: string, name: string, written: ReadonlySet<string>): DashboardFile {
  const plain = readFileSync(join(directory, name));
  const coded = new Map<"br" | "gzip", Buffer>();
  for (const coding of ["br", "gzip"] as const) {
    const beside = `${name}${CODED[coding]}`;
    if (written.has(beside)) coded.set(coding, readFileSync(join(directory, beside)));
  }
  return {
    path: `/${name}`,
    mediaType: MEDIA_TYPES[extname(name)] ?? "application/octet-stream",
    immutable: name.startsWith("assets/"),
    etag: `"${sha256(plain).toString("base64url").slice(0, 22)}"`,
    plain,
    coded,
  };
}
