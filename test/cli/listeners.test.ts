import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { EXIT } from "#cli/exit-codes.ts";
import { startClaviger } from "../claviger.ts";
import { shake } from "../listeners/tls-bench.ts";
import { claviger } from "../start/process.ts";

vi.setConfig({ testTimeout: 120_000 });

const RESOURCES = {
  desk: { resource_type: "HttpServer", listen_addr: "127.0.0.1:0", auth: null },
  secure: {
    resource_type: "HttpServer",
    listen_addr: "127.0.0.1:0",
    auth: ["users", "keys"],
    tls: "auto",
    serve: ["gateway", "api"],
  },
};

test("[D2] [L2] listeners by command: the table, one of them whole, and what of the file could not be opened", async () => {
  const textOf = (resources: object) => JSON.stringify({ resources });
  await using server = await startClaviger({ listen: [], yaml: textOf(RESOURCES) });
  const run = (...words: string[]) =>
    claviger(["config", "listeners", ...words], { env: { DATA_DIR: server.dataDir } });
  const [plain = "", secure = ""] = server.app.urls;
  const listed = await run();
  expect([listed.status, listed.stderr]).toEqual([EXIT.ok, ""]);
  const lines = listed.stdout.split("\n").map((line) => line.split(/ {2,}/));
  expect(lines).toEqual([
    ["NAME", "SOURCE", "STATE", "ADDRESSES", "AUTH", "SERVE", "TLS", "DAYS LEFT"],
    [
      ...["desk", "file", "listening", new URL(plain).host],
      ...["anyone (authentication is off)", "gateway events", "off", "-"],
    ],
    ["secure", "file", "listening", new URL(secure).host, "users keys", "gateway api", "auto", "396"],
    [""],
  ]);
  expect(JSON.parse((await run("--json")).stdout)).toMatchObject([
    { name: "desk", tls: "off", days_left: null },
    { name: "secure", tls: "auto", days_left: 396 },
  ]);

  const socket = await shake(secure);
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  const one = (await run("secure")).stdout;
  for (const line of [
    `address:       127.0.0.1:0, bound to ${new URL(secure).host}`,
    `URL:           ${secure}`,
    "reached from:  this machine alone",
    "certificate:   CN=claviger, self-signed",
    `  SHA-256:     ${fingerprint256}`,
  ])
    expect(one.split("\n")).toContain(line);
  expect(one).toMatch(/ {2}valid: {7}20\S+ to 20\S+, 396 days left\n/);
  expect(JSON.parse((await run("secure", "--json")).stdout)).toMatchObject({
    name: "secure",
    certificates: [{ fingerprint: fingerprint256, self_signed: true }],
  });
  const unknown = await run("nobody");
  expect([unknown.status, unknown.stderr]).toEqual([
    EXIT.data,
    "claviger: no listener is called nobody\n  there are desk, secure\n",
  ]);

  const taken = { ...RESOURCES.secure, listen_addr: new URL(plain).host };
  writeFileSync(join(server.dataDir, "given.yaml"), textOf({ ...RESOURCES, taken }));
  expect((await server.control({ method: "POST", path: "/api/v1/config/reload" })).status).toBe(422);
  const partly = await run();
  expect(partly.stdout).toMatch(/^taken +file +not_listening +127\.0\.0\.1:\d+ /m);
  expect(partly.stderr).toMatch(
    /^the file is not in force as it is now:\ncannot listen on 127\.0\.0\.1:\d+: /,
  );
  expect((await run("taken")).stdout).toMatch(/^state: +not listening: cannot listen on 127\.0\.0\.1:\d+: /m);
});
