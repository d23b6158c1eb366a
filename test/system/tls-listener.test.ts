import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { z } from "zod";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { addListeners, ask, listenerSpec } from "#test/listeners/bench.ts";
import { requiredTool } from "./required-tool.ts";
import { runProgram } from "./run-program.ts";

vi.setConfig({ testTimeout: 600_000, hookTimeout: 60_000 });

/**
 * What a scan reports of every certificate that no authority outside signed: no trust that it could follow, and nobody to
 * revoke it. And what it says of itself: which old algorithms the local openssl lacks, and that a busy machine did not let
 * it take up a session, which test/listeners does in every thread.
 */
const NOT_OF_THE_LISTENER = [
  "cert_chain_of_trust",
  "cert_revocation",
  "engine_problem",
  "sessionresumption_ticket",
];

let claviger: TestClaviger;
let address: string;
let certificate: string;
beforeAll(async () => {
  claviger = await startClaviger({ workers: 2 });
  const [url = ""] = await addListeners(claviger, listenerSpec("tls", { tls: { kind: "auto" } }));
  address = new URL(url).host;
  certificate = join(claviger.dataDir, "etc", "certs", "claviger.crt");
});
afterAll(() => claviger[Symbol.asyncDispose]());

test("[N13] openssl trusts the own certificate by itself, over TLS 1.2 and 1.3, and is refused older versions and renegotiation", async () => {
  const openssl = requiredTool("openssl");
  const talk = (...more: string[]) =>
    runProgram(openssl, [
      "s_client",
      "-connect",
      address,
      "-CAfile",
      certificate,
      "-verify_return_error",
      ...more,
    ]);
  for (const version of ["-tls1_2", "-tls1_3"]) {
    const spoken = await talk(version, "-verify_hostname", "localhost");
    expect(spoken.status, spoken.stderr).toBe(0);
    expect(spoken.stdout).toContain("Verify return code: 0 (ok)");
    expect(spoken.stdout).toMatch(/Peer signature type: ECDSA|Peer signature type: ecdsa/i);
  }
  expect((await talk("-tls1_1", "-cipher", "ALL@SECLEVEL=0")).status).not.toBe(0);
  const shown = await runProgram(openssl, ["x509", "-in", certificate, "-noout", "-text"]);
  expect(shown.stdout).toContain("Public-Key: (256 bit)");
  expect(shown.stdout).toContain("CA:FALSE");
  expect(shown.stdout).toMatch(/X509v3 Key Usage: critical\s+Digital Signature\s/);
  expect(shown.stdout).toMatch(/X509v3 Extended Key Usage:\s+TLS Web Server Authentication\s/);
});

test("[N13] curl with --cacert is answered, by name and by address, and without it refuses", async () => {
  const curl = requiredTool("curl");
  const port = address.split(":")[1] ?? "";
  for (const host of ["localhost", "127.0.0.1"]) {
    const args = ["-sS", "--cacert", certificate, `https://${host}:${port}/health`];
    const answered = await runProgram(curl, args);
    expect(answered, answered.stderr).toMatchObject({ status: 0, stdout: '{"status":"ok"}' });
  }
  expect((await runProgram(curl, ["-sS", `https://127.0.0.1:${port}/health`])).status).toBe(60);
});

test("[N13] a PKCS #12 file with its password serves, with the names in its certificate; a wrong password is refused", async () => {
  const openssl = requiredTool("openssl");
  const at = (name: string) => join(claviger.dataDir, name);
  const request =
    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=own -addext".split(" ");
  await runProgram(openssl, [
    ...request,
    "subjectAltName=DNS:own.example",
    "-keyout",
    at("k.pem"),
    "-out",
    at("c.pem"),
  ]);
  const bundle = ["pkcs12", "-export", "-in", at("c.pem"), "-inkey", at("k.pem"), "-out", at("own.pfx")];
  writeFileSync(at("password"), "of the bundle\n");
  expect((await runProgram(openssl, [...bundle, "-passout", "pass:of the bundle"])).status).toBe(0);
  const pair = { pfx: at("own.pfx"), passwordFile: at("password") };
  const spec = listenerSpec("pfx", { tls: { kind: "files", pairs: [pair] } });
  const [url = ""] = await addListeners(claviger, spec);
  const { port } = new URL(url);
  const args = ["-sS", "--cacert", at("c.pem"), "--resolve", `own.example:${port}:127.0.0.1`];
  for (let i = 0; i < 6; i += 1) {
    const answered = await runProgram(requiredTool("curl"), [...args, `https://own.example:${port}/health`]);
    expect(answered, answered.stderr).toMatchObject({ status: 0, stdout: '{"status":"ok"}' });
  }
  writeFileSync(at("wrong"), "another");
  const wrong = { tls: { kind: "files", pairs: [{ ...pair, passwordFile: at("wrong") }] } } as const;
  const refused = addListeners(claviger, listenerSpec("wrong", wrong));
  await expect(refused).rejects.toThrow(`${pair.pfx} cannot be opened`);
});

test("[N13] a client that does not go on with its handshake is cut after 10 s, and counted; others are not held up", async () => {
  const port = Number(address.split(":")[1]);
  const before = await handshakeErrors();
  // Nothing at all, and the head of a record that never comes.
  const silent = ["", "\x16\x03\x01\x02\x00\x01"].map(async (begun) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    const opened = performance.now();
    socket.write(begun, "latin1");
    socket.resume();
    await once(socket, "close");
    return performance.now() - opened;
  });
  expect((await ask(`https://${address}`, { path: "/health", rejectUnauthorized: false })).status).toBe(200);
  for (const tookMs of await Promise.all(silent)) {
    expect(tookMs).toBeGreaterThan(9_900);
    expect(tookMs).toBeLessThan(20_000);
  }
  await expect.poll(handshakeErrors).toBe(before + silent.length);
});

async function handshakeErrors(): Promise<number> {
  const { text } = await claviger.control({ path: "/metrics" });
  return Number(/^claviger_tls_handshake_errors_total (\d+)$/m.exec(text)?.[1]);
}

// WARN says that the scanner could not look, as on a busy machine: it then looks once more.
test("[N13] testssl.sh finds nothing above LOW that is not of a private certificate", {
  retry: 1,
}, async () => {
  const directory = mkdtempSync(join(tmpdir(), "claviger-testssl-"));
  try {
    const file = join(directory, "found.json");
    const args = ["--quiet", "--warnings", "off", "--color", "0", "--nodns", "none", "--jsonfile", file];
    const more = ["--ip", "127.0.0.1", "--add-ca", certificate];
    const run = await runProgram(requiredTool("testssl"), [...args, ...more, address]);
    const found = z
      .array(z.object({ id: z.string(), severity: z.string(), finding: z.string() }))
      .parse(JSON.parse(readFileSync(file, "utf8")));
    expect(found.length, run.stdout).toBeGreaterThan(80);
    const serious = found.filter(
      ({ id, severity }) =>
        !["OK", "INFO", "LOW", "DEBUG"].includes(severity) && !NOT_OF_THE_LISTENER.includes(id),
    );
    expect(serious).toEqual([]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
