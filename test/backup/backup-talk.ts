import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLayout } from "#platform/config/layout.ts";
import { loadConfig } from "#platform/config/load.ts";
import { loadAuditSecret } from "#platform/config/secrets.ts";
import { systemClock } from "#platform/lib/clock.ts";
import { systemRandom } from "#platform/lib/random.ts";
import { Secret } from "#platform/lib/secret.ts";
import { openBackup } from "#vault/backup/index.ts";
import type { TestClaviger } from "../claviger.ts";

/** What a server answers, as bytes. */
export interface BackupAnswer {
  readonly status: number;
  readonly type: string | undefined;
  readonly bytes: Buffer;
}

/** Asks for a backup over the control socket; with a body by POST. */
export function takeBackup(claviger: TestClaviger, body?: object): Promise<BackupAnswer> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const headers =
    text === undefined
      ? {}
      : { "content-type": "application/json", "content-length": Buffer.byteLength(text) };
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        socketPath: claviger.app.controlSocket,
        path: "/api/v1/backup",
        method: text === undefined ? "GET" : "POST",
        headers: { host: "localhost", ...headers },
        agent: false,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            type: response.headers["content-type"],
            bytes: Buffer.concat(chunks),
          }),
        );
      },
    );
    outgoing.on("error", reject);
    outgoing.end(text);
  });
}

/** A directory of its own, as on another machine, with the store of `backup`; or that of `dataDir`. */
export async function restoreElsewhere(
  backup: Uint8Array,
  options: { password?: Secret; revokeKeys?: boolean; dataDir?: string } = {},
): Promise<{ dataDir: string } & Disposable> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), "claviger-restored-"));
  if (!existsSync(join(dataDir, "db"))) makeLayout(dataDir);
  const opened = await openBackup(once(backup));
  await opened.restore(options.password, {
    dataDir,
    config: "in-place",
    clock: systemClock,
    auditSecret: () => loadAuditSecret({ dataDir, random: systemRandom }),
    revokeKeys: options.revokeKeys === true,
  });
  return { dataDir, [Symbol.dispose]: () => rmSync(dataDir, { recursive: true, force: true }) };
}

/** Every file below a directory that holds any of the texts. */
export function filesWith(directory: string, texts: readonly string[]): string[] {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const paths = entries.map((entry) => join(entry.parentPath, entry.name));
  return paths.filter((path) => {
    const bytes = readFileSync(path);
    return texts.some((text) => bytes.includes(text));
  });
}

/** As a fresh server leaves it that never served. */
function makeLayout(dataDir: string): void {
  rmSync(dataDir, { recursive: true, force: true });
  createLayout(loadConfig({ flags: { dataDir }, env: {}, homeDir: dataDir }));
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Secrets for one test, made anew. */
export function newSecret(): Secret {
  return new Secret(systemRandom.bytes(18).toString("base64url"));
}
