import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";

/** A small web application, built as the real one is. */
export interface BuiltDashboard extends Disposable {
  readonly directory: string;
}

export const PAGES = ["/", "/keys", "/providers/:name"];
export const SCRIPT = {
  path: "/assets/index-B7x_k2Qd.js",
  text: `document.title = "${"claviger ".repeat(200)}";`,
};
export const MARK = { path: "/favicon.svg", text: '<svg xmlns="http://www.w3.org/2000/svg"/>\n' };
/** One route for the files of a directory. */
export const FILE_ROUTES = [MARK.path, "/assets/:file"];
const DOCUMENT =
  '<!doctype html><script nonce="__CSP_NONCE__" src="/assets/index-B7x_k2Qd.js"></script><p>the app</p>\n';

/** Writes it to a directory of its own, removed at the end. */
export function writeDashboard(more: Readonly<Record<string, string>> = {}): BuiltDashboard {
  const directory = mkdtempSync(path.join(tmpdir(), "dashboard-"));
  mkdirSync(path.join(directory, "assets"));
  const write = (name: string, content: string | Buffer) =>
    writeFileSync(path.join(directory, name), content);
  write("index.html", DOCUMENT);
  write("pages.json", JSON.stringify(PAGES));
  write(MARK.path, MARK.text);
  write(SCRIPT.path, SCRIPT.text);
  write(`${SCRIPT.path}.br`, brotliCompressSync(SCRIPT.text));
  write(`${SCRIPT.path}.gz`, gzipSync(SCRIPT.text));
  for (const [name, text] of Object.entries(more)) write(name, text);
  return { directory, [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }) };
}
