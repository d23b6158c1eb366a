import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { connect as connectPlain } from "node:net";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { expect, test, vi } from "vitest";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { startUpstream, UPSTREAM_MODEL } from "#test/upstream.ts";
import { textOf } from "#test/workers/held-connections.ts";
import { addListeners, ask, bearer, entryOf, listenerSpec, open } from "./bench.ts";
import { fingerprint, makePair, printOf, shake } from "./tls-bench.ts";

vi.setConfig({ testTimeout: 60_000 });

const DAY_MS = 86_400_000;
const AUTO = { tls: { kind: "auto" } } as const;

const certificatePath = (claviger: TestClaviger) => join(claviger.dataDir, "etc", "certs", "claviger.crt");

test.each([
  1, 2,
])("[N13] with %d threads `auto` serves by a self-signed ECDSA P-256 certificate of 397 days for the host's names and addresses", async (workers) => {
  await using claviger = await startClaviger({ workers });
  const { key } = await claviger.issueKey("app");
  const [url = ""] = await addListeners(claviger, listenerSpec("tls", AUTO));
  expect(url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
  const path = certificatePath(claviger);
  expect(statSync(path).mode & 0o777).toBe(0o644);
  expect(statSync(path.replace(".crt", ".key")).mode & 0o777).toBe(0o400);
  const ca = readFileSync(path, "utf8");
  const certificate = new X509Certificate(ca);
  expect(certificate.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: "prime256v1" });
  expect(Date.parse(certificate.validTo) - Date.parse(certificate.validFrom)).toBe(397 * DAY_MS);
  expect(certificate.ca).toBe(false);
  expect(certificate.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
  expect(certificate.serialNumber.length).toBeGreaterThanOrEqual(32);
  for (const name of ["localhost", hostname(), `${hostname().split(".")[0]}.local`])
    expect(certificate.checkHost(name), name).toBeDefined();
  for (const address of ["127.0.0.1", "::1"]) expect(certificate.checkIP(address), address).toBeDefined();
  for (let i = 0; i < 4 * workers; i += 1) {
    expect((await ask(url, { path: "/v1/models", headers: bearer(key), ca })).status).toBe(200);
    expect((await ask(url, { path: "/v1/models", ca, servername: "localhost" })).status).toBe(401);
  }
  const anonymous = listenerSpec("anyone", {
    ...AUTO,
    entry: entryOf({ anonymous: { permissionSet: "gateway", from: "local" } }),
  });
  const [local = ""] = await addListeners(claviger, anonymous);
  const from = async (origin: string) =>
    (await ask(local, { path: "/v1/models", ca, headers: { origin } })).status;
  expect(await from(local)).toBe(200);
  expect(await from(local.replace("https:", "http:"))).toBe(403);
  expect(claviger.logged()).toContain(`SHA-256 ${certificate.fingerprint256}`);
  const { text } = await claviger.control({ path: "/metrics" });
  const seconds = Date.parse(certificate.validTo) / 1000;
  expect(text).toContain(`claviger_certificate_expiry_timestamp_seconds{listener="tls"} ${seconds}\n`);
});

test("[N13] the own certificate is renewed 30 days before its end, and where the clock was set back, with the same key, and no connection is dropped", async () => {
  const clock = new FakeClock();
  await using upstream = await startUpstream();
  await using claviger = await startClaviger({ clock, workers: 2 });
  await claviger.addProvider("sim", upstream.baseUrl);
  const { key } = await claviger.issueKey("app");
  const [url = ""] = await addListeners(claviger, listenerSpec("tls", AUTO));
  const path = certificatePath(claviger);
  const first = printOf(path);
  const keyBefore = readFileSync(path.replace(".crt", ".key"), "utf8");
  const stream = await openStream(url, key, upstream);
  clock.advance(366 * DAY_MS);
  await claviger.app.listeners.checkCertificates();
  expect(printOf(path)).toBe(first);
  clock.advance(2 * DAY_MS);
  await claviger.app.listeners.checkCertificates();
  expect(printOf(path)).not.toBe(first);
  expect(readFileSync(path.replace(".crt", ".key"), "utf8")).toBe(keyBefore);
  const publicKey = createPublicKey(createPrivateKey(keyBefore)).export({ format: "pem", type: "spki" });
  expect(new X509Certificate(readFileSync(path)).publicKey.export({ format: "pem", type: "spki" })).toBe(
    publicKey,
  );
  for (let i = 0; i < 8; i += 1) expect(await fingerprint(url)).toBe(printOf(path));
  // What holds from a day that is yet to come holds for nobody.
  const second = printOf(path);
  clock.advance(-3 * 365 * DAY_MS);
  await claviger.app.listeners.checkCertificates();
  expect(printOf(path)).not.toBe(second);
  expect(Date.parse(new X509Certificate(readFileSync(path)).validFrom)).toBeLessThanOrEqual(clock.now());
  stream.release();
  expect(await textOf(stream.answer)).toContain("[DONE]");
});

async function openStream(url: string, key: string, upstream: Awaited<ReturnType<typeof startUpstream>>) {
  const { promise: until, resolve: release } = Promise.withResolvers<void>();
  upstream.behave({ kind: "stall", after: 200, until });
  const body = JSON.stringify({
    model: `sim/${UPSTREAM_MODEL}`,
    stream: true,
    messages: [{ role: "user", content: "x" }],
  });
  const headers = { ...bearer(key), "content-type": "application/json" };
  const answer = await open(url, {
    path: "/v1/chat/completions",
    method: "POST",
    headers,
    body,
    rejectUnauthorized: false,
  });
  return { answer, release };
}

test("[N13] an own certificate is read again when its files or a link on the way change; a broken new pair keeps the old one", async () => {
  await using upstream = await startUpstream();
  await using claviger = await startClaviger({ workers: 2 });
  await claviger.addProvider("sim", upstream.baseUrl);
  const { key } = await claviger.issueKey("app");
  const one = await makePair(join(claviger.dataDir, "pairs", "one"), "one.example");
  const two = await makePair(join(claviger.dataDir, "pairs", "two"), "two.example");
  const live = join(claviger.dataDir, "pairs", "live");
  symlinkSync("one", live);
  const files = { cert: join(live, "claviger.crt"), key: join(live, "claviger.key") };
  const [url = ""] = await addListeners(
    claviger,
    listenerSpec("own", { tls: { kind: "files", pairs: [files] } }),
  );
  expect(await fingerprint(url)).toBe(printOf(one.cert));
  const status = async (host: string) =>
    (await ask(url, { path: "/health", headers: { host }, rejectUnauthorized: false })).status;
  expect([await status("one.example"), await status("two.example")]).toEqual([200, 421]);
  const stream = await openStream(url, key, upstream);
  symlinkSync("two", `${live}.new`);
  renameSync(`${live}.new`, live);
  await expect.poll(() => fingerprint(url), { timeout: 10_000 }).toBe(printOf(two.cert));
  expect([await status("one.example"), await status("two.example")]).toEqual([421, 200]);
  writeFileSync(two.cert, readFileSync(one.cert));
  const refused = `the key in ${files.key} is not that of the certificate in ${files.cert}`;
  await expect.poll(() => claviger.logged(), { timeout: 10_000 }).toContain(refused);
  expect(await fingerprint(url)).not.toBe(printOf(one.cert));
  rmSync(two.key);
  writeFileSync(two.key, readFileSync(one.key));
  await expect.poll(() => fingerprint(url), { timeout: 10_000 }).toBe(printOf(one.cert));
  expect(claviger.logged()).not.toContain("PRIVATE KEY");
  stream.release();
  expect(await textOf(stream.answer)).toContain("[DONE]");
});

test("[N13] of several pairs the one for the name that is asked for is shown, the first one to all others", async () => {
  await using claviger = await startClaviger();
  const one = await makePair(join(claviger.dataDir, "one"), "one.example");
  const two = await makePair(join(claviger.dataDir, "two"), "two.example", "*.wild.example");
  const [url = ""] = await addListeners(
    claviger,
    listenerSpec("names", { tls: { kind: "files", pairs: [one, two] } }),
  );
  const shown = await Promise.all(
    ["one.example", "TWO.example", "a.wild.example", "a.b.wild.example", "other.example", undefined].map(
      (name) => fingerprint(url, name),
    ),
  );
  const [first, second] = [printOf(one.cert), printOf(two.cert)];
  expect(shown).toEqual([first, second, second, first, first, first]);
});

test("[N13] a pair that cannot be used is refused with its path and nothing of its content", async () => {
  await using claviger = await startClaviger();
  const one = await makePair(join(claviger.dataDir, "one"), "one.example");
  const two = await makePair(join(claviger.dataDir, "two"), "two.example");
  const junk = join(claviger.dataDir, "junk.pem");
  writeFileSync(junk, "-----BEGIN CERTIFICATE-----\nc2VjcmV0\n-----END CERTIFICATE-----\n");
  const apply = (cert: string, key: string) =>
    addListeners(claviger, listenerSpec("own", { tls: { kind: "files", pairs: [{ cert, key }] } }));
  await expect(apply(one.cert, two.key)).rejects.toThrow(`the key in ${two.key} is not that`);
  await expect(apply(junk, two.key)).rejects.toThrow(`${junk} holds no certificate in PEM form`);
  await expect(apply(one.cert, one.cert)).rejects.toThrow(`${one.cert} holds no private key`);
  await expect(apply(one.cert, `${junk}.none`)).rejects.toThrow(`${junk}.none cannot be read (ENOENT)`);
  await expect(apply(dirname(one.cert), one.key)).rejects.toThrow(`${dirname(one.cert)} is not a file`);
});

test("[N13] TLS 1.1, weak ciphers and plain HTTP are cut, counted, and break nothing; a session is taken up in every thread", async () => {
  await using claviger = await startClaviger({ workers: 2 });
  const { key } = await claviger.issueKey("app");
  const [url = ""] = await addListeners(claviger, listenerSpec("tls", AUTO));
  await expect(
    shake(url, { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "ALL@SECLEVEL=0" }),
  ).rejects.toThrow();
  await expect(shake(url, { maxVersion: "TLSv1.2", ciphers: "ECDHE-ECDSA-AES128-SHA" })).rejects.toThrow();
  const plain = connectPlain(Number(new URL(url).port), "127.0.0.1");
  plain.on("error", () => {});
  let heard = "";
  plain.on("data", (chunk) => {
    heard += chunk.toString("latin1");
  });
  plain.write("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await once(plain, "close");
  expect(heard).not.toContain("HTTP/");
  expect(
    (await ask(url, { path: "/v1/models", headers: bearer(key), rejectUnauthorized: false })).status,
  ).toBe(200);
  await expect
    .poll(async () => (await claviger.control({ path: "/metrics" })).text)
    .toContain("claviger_tls_handshake_errors_total 3");
  const first = await shake(url, { maxVersion: "TLSv1.2" });
  const session = first.getSession();
  first.destroy();
  if (session === undefined) throw new Error("no session");
  for (let i = 0; i < 8; i += 1) {
    const again = await shake(url, { maxVersion: "TLSv1.2", session });
    expect(again.isSessionReused()).toBe(true);
    again.destroy();
  }
});
