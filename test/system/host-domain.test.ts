import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { ask } from "#test/listeners/bench.ts";
import { startProgram } from "./running-program.ts";

const MAIN = path.resolve(import.meta.dirname, "../../src/main.ts");
/** A machine called `box`, which knows itself and others by this. */
const HOSTS = `127.0.0.1 localhost
127.0.1.1 Box.corp.example box # box.comment.example
192.0.2.7 boxer.corp.example other.corp.example
`;
/** What a network hands out: whoever runs it must not name this machine. */
const RESOLV = "nameserver 192.0.2.53\nsearch cafe.example\n";
const AS_BOX =
  'mount --bind "$1" /etc/hosts && mount --bind "$2" /etc/resolv.conf && hostname box && shift 2 && exec "$@"';

test("[A7] [N13] the machine's name with its domain, as its hosts file has it, is served and in its certificate", async () => {
  const dataDir = mkdtempSync(path.join(tmpdir(), "claviger-domain-"));
  try {
    const [hosts, resolv, config] = ["hosts", "resolv.conf", "given.yaml"].map((name) =>
      path.join(dataDir, name),
    );
    writeFileSync(hosts ?? "", HOSTS);
    writeFileSync(resolv ?? "", RESOLV);
    writeFileSync(
      config ?? "",
      `resources:
  front: { resource_type: HttpServer, listen_addr: "127.0.0.1:0", auth: [keys], tls: auto }
  plain: { resource_type: HttpServer, listen_addr: "127.0.0.1:0", auth: [keys] }
`,
    );
    const data = path.join(dataDir, "data");
    const serve = [process.execPath, MAIN, "serve", "--data-dir", data, "--config", config ?? ""];
    const args = ["--mount", "--uts", "sh", "-c", AS_BOX, "sh", hosts ?? "", resolv ?? "", ...serve];
    await using server = startProgram("unshare", args, {
      env: { PATH: process.env.PATH, HOME: dataDir },
    });
    const [secure = ""] = await server.hears(/https:\/\/127\.0\.0\.1:\d+/);
    const [plain = ""] = await server.hears(/http:\/\/127\.0\.0\.1:\d+/);
    const statusAt = async (url: string, host: string) =>
      (await ask(url, { path: "/v1/models", headers: { host }, rejectUnauthorized: false })).status;
    const status = async (host: string) =>
      (await statusAt(secure, host)) === (await statusAt(plain, host))
        ? statusAt(plain, host)
        : "not the same";
    for (const host of ["box", "box.local", "box.corp.example", "BOX.corp.example:8442"])
      expect(await status(host), host).toBe(401);
    for (const host of [
      "boxer.corp.example",
      "other.corp.example",
      "box.cafe.example",
      "box.comment.example",
      "a.box.corp.example",
    ])
      expect(await status(host), host).toBe(421);
    const certificate = new X509Certificate(readFileSync(path.join(data, "etc", "certs", "claviger.crt")));
    expect(certificate.checkHost("box.corp.example")).toBe("box.corp.example");
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});
