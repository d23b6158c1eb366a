import { mkdtempDisposableSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadConfig } from "#platform/config/load.ts";
import { readDeclared } from "../declared/declared.ts";
import { DEFAULT_HTTP_SERVER } from "../declared/http-server.ts";
import { listenerSpecs } from "./declared-specs.ts";

/** What a configuration file of these resources listens with, as `listen` says where that is given. */
function specsOf(resources: object, listen: string[] = []) {
  using directory = mkdtempDisposableSync(join(tmpdir(), "claviger-specs-"));
  const config = join(directory.path, "given.yaml");
  writeFileSync(config, JSON.stringify({ settings: { allow_plain_http: true }, resources }));
  const flags = { config, ...(listen.length === 0 ? {} : { listen }) };
  return listenerSpecs(loadConfig({ flags, env: {}, homeDir: directory.path, resources: readDeclared }));
}

test("[N4] [I6] what listens without a declaration is what its declaration makes: loopback of both families, port 8441", () => {
  const [bare, ...others] = specsOf({});
  expect(others).toEqual([]);
  expect(bare).toMatchObject({
    name: "local",
    targets: [
      { host: "127.0.0.1", port: 8441 },
      { host: "::1", port: 8441 },
    ],
    tls: { kind: "off" },
    serves: new Set(["gateway", "api", "dashboard", "events"]),
    entry: { users: true, keys: true, cluster: true, anonymous: { permissionSet: "gateway", from: "local" } },
  });
  const [written] = specsOf({ main: { resource_type: "HttpServer", ...DEFAULT_HTTP_SERVER } });
  expect([bare?.source, written?.source]).toEqual(["default", "file"]);
  expect({ ...written, name: "local", source: "default" }).toEqual(bare);
});

test("[N4] [I6] beyond loopback, where only --listen names it, nobody comes in without a credential", () => {
  const [local, network] = specsOf({}, ["127.0.0.1:0", "192.0.2.1:8441"]);
  expect([local?.source, network?.source]).toEqual(["flag", "flag"]);
  expect([local?.name, local?.targets]).toEqual(["local", [{ host: "127.0.0.1", port: 0 }]]);
  expect([network?.name, network?.targets]).toEqual(["network", [{ host: "192.0.2.1", port: 8441 }]]);
  expect(network?.entry).toMatchObject({ users: true, keys: true, cluster: true });
  expect(network?.entry).not.toHaveProperty("anonymous");
});
