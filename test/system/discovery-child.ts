import { X509Certificate } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { startClaviger } from "#test/claviger.ts";
import { newPin } from "#test/cluster/member.ts";
import { FakeClock } from "#test/fake-clock.ts";

/**
 * `YAML [init]`: a server with this configuration file, in a cluster of its own with `init`. Prints `ready` and what only
 * it should know, as JSON. SIGUSR2 is a quarter of an hour; SIGTERM ends it.
 */
const [yaml = "", init] = process.argv.slice(2);
const clock = new FakeClock();
const claviger = await startClaviger({ yaml, listen: [], clock });
const pin = newPin();
const etc = join(claviger.dataDir, "etc");
const call = async (method: string, path: string, body?: unknown) => {
  const { status, text } = await claviger.control({ method, path, ...(body === undefined ? {} : { body }) });
  if (status >= 300) throw new Error(text);
  return JSON.parse(text);
};
const secrets: string[] = [pin];
if (init === "init") {
  const { cluster_id } = await call("POST", "/api/v1/cluster/init", { pin });
  secrets.push(cluster_id, ...secretsOf(join(etc, "credentials")));
}
const { data } = await call("GET", "/api/v1/nodes");
secrets.push(data[0].id);
const certificates = readdirSync(etc).includes("certs") ? [join(etc, "certs", "claviger.crt")] : [];
for (const file of certificates) {
  const { fingerprint256, serialNumber } = new X509Certificate(readFileSync(file));
  secrets.push(fingerprint256.replaceAll(":", ""), serialNumber);
}
process.on("SIGUSR2", () => clock.advance(15 * 60_000));
process.on("SIGTERM", async () => {
  await claviger[Symbol.asyncDispose]();
  process.stdout.write(claviger.logged());
  process.exit(0);
});
// Last: whoever reads it may signal at once.
process.stdout.write(`ready ${JSON.stringify({ pin, secrets, dataDir: claviger.dataDir })}\n`);

/** Every text of the credential files, of 8 characters and more. */
function secretsOf(directory: string): string[] {
  const text = readdirSync(directory)
    .map((name) => readFileSync(join(directory, name), "utf8"))
    .join("\n");
  return text.match(/[A-Za-z0-9+/=_-]{8,}/g) ?? [];
}
