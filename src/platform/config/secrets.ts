import { closeSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { StartError } from "#platform/lib/error.ts";
import { syncPath, writeFileDurably } from "#platform/lib/file.ts";
import { fingerprint } from "#platform/lib/fingerprint.ts";
import type { Random } from "#platform/lib/random.ts";
import { Secret } from "#platform/lib/secret.ts";
import { systemErrorCode } from "./bounded-text.ts";
import type { SecretName } from "./settings.ts";

/** The secrets the server cannot run without; unset ones are made. */
export const PROCESS_SECRETS = ["JWT_SECRET", "API_KEY_SECRET"] as const;
export type ProcessSecretName = (typeof PROCESS_SECRETS)[number];

const AUDIT_SECRET_FILE = "audit_secret";
const AUTH_KEY_FILE = "auth.key";
const MIN_SECRET_BYTES = 32;

/**
 * Each process secret: from the environment, else its file in `${dataDir}/secrets`, else new (256 bits, base64url,
 * mode 0400, on the disk before this returns). StartError (78) for one under 32 bytes or a documented example.
 */
export function loadProcessSecrets(input: {
  given: ReadonlyMap<SecretName, Secret>;
  dataDir: string;
  random: Random;
}): ReadonlyMap<ProcessSecretName, Secret> {
  const directory = join(input.dataDir, "secrets");
  return new Map(
    PROCESS_SECRETS.map((name) => {
      const path = join(directory, name.toLowerCase());
      const given = input.given.get(name);
      const secret = given ?? readSecret(path) ?? createSecret(directory, path, input.random);
      refuseWeak(given ? name : path, secret);
      return [name, secret];
    }),
  );
}

/**
 * The secret that the audit's chain is made with: its file in `${dataDir}/secrets`, else new, as the process secrets
 * are. It is in no environment, and has no fingerprint: the chain's own name tells one from another. StartError (78).
 */
export function loadAuditSecret(place: { dataDir: string; random: Random }): Secret {
  return loadOwnSecret(AUDIT_SECRET_FILE, place);
}

/**
 * What second factors are kept under, needed while the server is locked: its file in `${dataDir}/secrets`, else new, 256
 * bits in base64url. StartError (78).
 */
export function loadAuthKey(place: { dataDir: string; random: Random }): Secret {
  return loadOwnSecret(AUTH_KEY_FILE, place);
}

function loadOwnSecret(file: string, { dataDir, random }: { dataDir: string; random: Random }): Secret {
  const directory = join(dataDir, "secrets");
  const path = join(directory, file);
  const secret = readSecret(path) ?? createSecret(directory, path, random);
  refuseWeak(path, secret);
  return secret;
}

/** The audit's secret where there is one; nothing is made. StartError (78) when its file cannot be read. */
export function readAuditSecret(dataDir: string): Secret | undefined {
  return readSecret(join(dataDir, "secrets", AUDIT_SECRET_FILE));
}

/**
 * Compares with the fingerprints in the store; returns those that it does not have yet, for the caller to store.
 * StartError (78) names every secret that is not the stored one, and the command that accepts it.
 */
export function verifyFingerprints(input: {
  stored: ReadonlyMap<string, string>;
  secrets: ReadonlyMap<ProcessSecretName, Secret>;
}): ReadonlyMap<ProcessSecretName, string> {
  const missing = new Map<ProcessSecretName, string>();
  const changed: string[] = [];
  for (const [name, secret] of input.secrets) {
    const current = fingerprint(name, secret);
    const stored = input.stored.get(name);
    if (stored === undefined) missing.set(name, current);
    else if (stored !== current) changed.push(name);
  }
  if (changed.length === 0) return missing;
  throw new StartError(
    changed
      .map(
        (name) =>
          `${name} is not the secret this store was used with. Bring the old one back, or accept the new one, ` +
          `which ends what the old one signed: claviger doctor --accept-new-secret ${name}`,
      )
      .join("\n"),
  );
}

/**
 * Puts a process secret that came with a restored store in the place of the one in `${dataDir}/secrets`, whole or not
 * at all. AppError `storage_full`.
 */
export async function putProcessSecret(
  dataDir: string,
  name: ProcessSecretName,
  secret: Secret,
): Promise<void> {
  const path = join(dataDir, "secrets", name.toLowerCase());
  await writeFileDurably(path, Buffer.from(secret.expose()), 0o400);
}

/** Phrases of the placeholders that documentation and compose files print; random text does not contain them. */
const EXAMPLE_PHRASES =
  /change-?me|change-?this|replace-?(me|this|with)|your-?(jwt|api|secret|key|super)|example|placeholder|insecure|not-?secure|super-?secret|my-?secret|keyboard-?cat|default-?secret|0123456789abcdef0123456789abcdef/;

function refuseWeak(source: string, secret: Secret): void {
  const text = secret.expose();
  if (Buffer.byteLength(text) < MIN_SECRET_BYTES) {
    throw new StartError(`${source} is under ${MIN_SECRET_BYTES} bytes; ${REMEDY}`);
  }
  if (EXAMPLE_PHRASES.test(text.toLowerCase().replaceAll(/[\s_.]+/g, "-")) || /^(.)\1*$/s.test(text)) {
    throw new StartError(`${source} is a documented example, which anyone can read; ${REMEDY}`);
  }
}

const REMEDY = "leave it unset to have one made, or make one: openssl rand -base64 32";

function readSecret(path: string): Secret | undefined {
  try {
    return new Secret(readFileSync(path, "utf8").replace(/\r?\n$/, ""));
  } catch (cause) {
    const code = systemErrorCode(cause);
    if (code === "ENOENT") return undefined;
    throw new StartError(`${path} cannot be read (${code})`, { cause });
  }
}

/**
 * A crash leaves the whole secret or none: it is written beside, synced, then linked to its name. A link, unlike a
 * rename, never replaces: of two processes that start at once, both end with the one secret.
 */
function createSecret(directory: string, path: string, random: Random): Secret {
  const text = random.bytes(32).toString("base64url");
  const draft = `${path}.${random.bytes(6).toString("hex")}.new`;
  try {
    writeSynced(draft, text);
    try {
      linkSync(draft, path);
    } catch (error) {
      if (systemErrorCode(error) !== "EEXIST") throw error;
    } finally {
      rmSync(draft);
    }
    syncPath(directory);
    return readSecret(path) ?? new Secret(text);
  } catch (cause) {
    if (cause instanceof StartError) throw cause;
    throw new StartError(`${path} cannot be written (${systemErrorCode(cause)})`, { cause });
  }
}

function writeSynced(path: string, text: string): void {
  const descriptor = openSync(path, "wx", 0o400);
  try {
    writeSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
