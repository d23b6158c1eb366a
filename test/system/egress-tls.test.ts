import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { createEgressClient, type EgressClient } from "#platform/egress/egress-client.ts";

const OPENSSL = "/usr/bin/openssl";
let directory = "";
const file = (name: string) => join(directory, name);
const openssl = (...words: string[]) => execFileSync(OPENSSL, words, { cwd: directory, stdio: "pipe" });

function makeCa(name: string): void {
  openssl(
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
    "-days",
    "2",
    "-subj",
    `/CN=${name}`,
    "-keyout",
    `${name}.key`,
    "-out",
    `${name}.crt`,
  );
}

function makeLeaf(name: string, ca: string, names: string): void {
  openssl(
    "req",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
    "-subj",
    `/CN=${name}`,
    "-keyout",
    `${name}.key`,
    "-out",
    `${name}.csr`,
  );
  writeFileSync(file(`${name}.ext`), `subjectAltName=${names}\n`);
  openssl(
    "x509",
    "-req",
    "-in",
    `${name}.csr`,
    "-CA",
    `${ca}.crt`,
    "-CAkey",
    `${ca}.key`,
    "-CAcreateserial",
    "-days",
    "2",
    "-extfile",
    `${name}.ext`,
    "-out",
    `${name}.crt`,
  );
}

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "claviger-tls-"));
  makeCa("own-ca");
  makeCa("other-ca");
  makeLeaf("named", "own-ca", "DNS:upstream.test");
  makeLeaf("numbered", "own-ca", "IP:127.0.0.1");
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));
afterEach(() => void vi.unstubAllEnvs());

async function startTls(leaf: string) {
  const heard: { host: string | undefined; servername: unknown }[] = [];
  const server = createServer(
    { cert: readFileSync(file(`${leaf}.crt`)), key: readFileSync(file(`${leaf}.key`)) },
    (request, response) => {
      const socket: object = request.socket;
      heard.push({
        host: request.headers.host,
        servername: "servername" in socket ? socket.servername : undefined,
      });
      response.setHeader("connection", "close");
      response.end("hello");
    },
  );
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    heard,
    url: (host: string) => new URL(`https://${host}:${port}/v1/models`),
    port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const client = () => createEgressClient({ lookup: async () => ["127.0.0.1"] });
const get = (from: EgressClient, url: URL, caFile?: string) =>
  from.collect(
    { url, method: "GET", headers: [], ...(caFile === undefined ? {} : { upstream: { caFile } }) },
    4096,
  );
const UNTRUSTED = { code: "upstream_unreachable", message: expect.stringContaining("trusted TLS") };

test("[G12] an upstream of a private CA is reached with its ca_file and refused without; SNI and Host bear the name", async () => {
  await using upstream = await startTls("named");
  await using egress = client();
  await expect(get(egress, upstream.url("upstream.test"))).rejects.toMatchObject(UNTRUSTED);
  await expect(get(egress, upstream.url("upstream.test"), file("other-ca.crt"))).rejects.toMatchObject(
    UNTRUSTED,
  );
  expect(upstream.heard).toEqual([]);
  const answer = await get(egress, upstream.url("upstream.test"), file("own-ca.crt"));
  expect(answer.body.toString()).toBe("hello");
  expect(upstream.heard).toEqual([{ host: `upstream.test:${upstream.port}`, servername: "upstream.test" }]);
});

test("[G12] the certificate must be for the name that was asked for, or for the address where none was", async () => {
  await using named = await startTls("named");
  await using numbered = await startTls("numbered");
  await using egress = client();
  const ca = file("own-ca.crt");
  await expect(get(egress, named.url("other.test"), ca)).rejects.toMatchObject(UNTRUSTED);
  await expect(get(egress, named.url("127.0.0.1"), ca)).rejects.toMatchObject(UNTRUSTED);
  await expect(get(egress, numbered.url("upstream.test"), ca)).rejects.toMatchObject(UNTRUSTED);
  expect((await get(egress, numbered.url("127.0.0.1"), ca)).status).toBe(200);
  expect((await get(egress, named.url("upstream.test."), ca)).status).toBe(200);
});

test("[G12] the environment cannot turn the verification off", async () => {
  await using upstream = await startTls("named");
  await using egress = client();
  vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
  await expect(get(egress, upstream.url("upstream.test"))).rejects.toMatchObject(UNTRUSTED);
});

test("[G12] a ca_file that was replaced counts at the next connection; one that is no use is named as the cause", async () => {
  await using upstream = await startTls("named");
  await using egress = client();
  const ca = file("changing.crt");
  const unusable = { code: "upstream_unreachable", message: expect.stringContaining("ca_file") };
  await expect(get(egress, upstream.url("upstream.test"), ca)).rejects.toMatchObject(unusable);
  copyFileSync(file("own-ca.crt"), ca);
  expect((await get(egress, upstream.url("upstream.test"), ca)).status).toBe(200);
  copyFileSync(file("other-ca.crt"), ca);
  await expect(get(egress, upstream.url("upstream.test"), ca)).rejects.toMatchObject(UNTRUSTED);
  for (const useless of [
    "",
    "no certificate",
    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
  ]) {
    writeFileSync(ca, useless);
    await expect(get(egress, upstream.url("upstream.test"), ca)).rejects.toMatchObject({
      code: "upstream_unreachable",
    });
  }
  copyFileSync(file("own-ca.crt"), ca);
  expect((await get(egress, upstream.url("upstream.test"), ca)).status).toBe(200);
});
