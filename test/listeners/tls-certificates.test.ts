import { X509Certificate } from "node:crypto";
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test, vi } from "vitest";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { addListeners, ask, listenerSpec } from "./bench.ts";
import { fingerprint, makePair, printOf, shake } from "./tls-bench.ts";

vi.setConfig({ testTimeout: 60_000 });

const DAY_MS = 86_400_000;

test("[N13] [W3] a certificate that ends is warned of from 14 days before, once a day, and its end is a metric", async () => {
  const clock = new FakeClock(Date.now());
  await using claviger = await startClaviger({ clock });
  const pair = await makePair(join(claviger.dataDir, "one"), "one.example");
  const [url = ""] = await addListeners(
    claviger,
    listenerSpec("own", { tls: { kind: "files", pairs: [pair] } }),
  );
  const ends = Date.parse(new X509Certificate(readFileSync(pair.cert)).validTo);
  const warnings = () =>
    claviger
      .logged()
      .split("\n")
      .filter((line) => line.includes('"level":40'))
      .filter((line) => line.includes("certificate"));
  const pass = async (ms: number) => {
    clock.advance(ms);
    await claviger.app.listeners.checkCertificates();
  };
  await pass(ends - clock.now() - 15 * DAY_MS);
  expect(warnings()).toEqual([]);
  await pass(DAY_MS + 1);
  expect(warnings()).toEqual([expect.stringContaining("is valid only until")]);
  expect(warnings()[0]).toContain('"listener":"own"');
  await pass(60_000);
  expect(warnings()).toHaveLength(1);
  await pass(14 * DAY_MS);
  expect(warnings()).toHaveLength(2);
  expect(warnings()[1]).toContain(`has expired, on ${new Date(ends).toISOString()}`);
  const { text } = await claviger.control({ path: "/metrics" });
  expect(text).toContain(`claviger_certificate_expiry_timestamp_seconds{listener="own"} ${ends / 1000}\n`);
  // It is still shown: clients judge it.
  expect(await fingerprint(url)).toBe(printOf(pair.cert));
});

test("[N13] a start renews an own certificate that is for other names, or ended while the server was off, with the same key", async () => {
  const clock = new FakeClock(Date.now());
  const listener = { resource_type: "HttpServer", listen_addr: "127.0.0.1:0", auth: ["keys"], tls: "auto" };
  const options = { clock, listen: [], yaml: JSON.stringify({ resources: { shielded: listener } }) };
  await using first = await startClaviger(options);
  const path = join(first.dataDir, "etc", "certs", "claviger.crt");
  const before = new X509Certificate(readFileSync(path));
  const expectOwn = async (server: TestClaviger) => {
    const own = new X509Certificate(readFileSync(path));
    expect(Date.parse(own.validTo)).toBeGreaterThan(clock.now() + 390 * DAY_MS);
    expect([own.checkHost("localhost"), own.checkIP("::1")]).toEqual(["localhost", "::1"]);
    expect(own.publicKey.equals(before.publicKey)).toBe(true);
    expect(await fingerprint(server.url)).toBe(printOf(path));
  };
  await first.app.close();
  rmSync(path);
  await makePair(dirname(path), "elsewhere.example");
  await using second = await startClaviger({ ...options, dataDir: first.dataDir });
  await expectOwn(second);
  await second.app.close();
  clock.advance(400 * DAY_MS);
  await using third = await startClaviger({ ...options, dataDir: first.dataDir });
  await expectOwn(third);
});

test("[A7] a listener answers for the names of its certificate, and for no longer than it has it", async () => {
  await using claviger = await startClaviger();
  const one = await makePair(join(claviger.dataDir, "one"), "one.example", "*.wild.example");
  const two = await makePair(join(claviger.dataDir, "two"), "two.example");
  const [url = "", plain = ""] = await addListeners(
    claviger,
    listenerSpec("own", { tls: { kind: "files", pairs: [one] } }),
    listenerSpec("plain"),
  );
  const status = async (to: string, host: string) =>
    (await ask(to, { path: "/v1/models", headers: { host }, rejectUnauthorized: false })).status;
  for (const host of ["one.example", "ONE.example:8442", "a.wild.example"]) {
    expect(await status(url, host), host).toBe(401);
    expect(await status(plain, host), host).toBe(421);
  }
  for (const host of ["two.example", "wild.example", "a.b.wild.example", "one.example.evil.example"])
    expect(await status(url, host), host).toBe(421);
  writeFileSync(`${one.key}.new`, readFileSync(two.key), { mode: 0o400 });
  renameSync(`${one.key}.new`, one.key);
  writeFileSync(one.cert, readFileSync(two.cert));
  await claviger.app.listeners.checkCertificates();
  await expect.poll(() => status(url, "two.example"), { timeout: 10_000 }).toBe(401);
  expect(await status(url, "one.example")).toBe(421);
});

test("[N13] a client of TLS 1.2 that wants to negotiate anew is refused", async () => {
  await using claviger = await startClaviger();
  const [url = ""] = await addListeners(claviger, listenerSpec("tls", { tls: { kind: "auto" } }));
  const socket = await shake(url, { maxVersion: "TLSv1.2" });
  const refused = Promise.withResolvers<Error | null>();
  socket.on("error", refused.resolve);
  // Told of as done where the server takes part in it.
  socket.renegotiate({ rejectUnauthorized: false }, refused.resolve);
  expect(String(await refused.promise)).toContain("no renegotiation");
  socket.destroy();
  expect((await ask(url, { path: "/health", rejectUnauthorized: false })).status).toBe(200);
});
