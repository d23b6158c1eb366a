import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { changeStore } from "../change-store.ts";
import { freshPin } from "../cluster-credentials.ts";
import { newPair, startFileBench } from "../reload/file.ts";

test("[W1] every kind of change is refused when its record cannot be written, and nothing of it holds", async () => {
  const [old, next] = [newPair(), newPair()];
  const identity = (hash: string) => ({
    resource_type: "Identity",
    credential: { api_key: hash },
    permissions: "gateway",
  });
  const main = { resource_type: "HttpServer", listen_addr: "127.0.0.1:0", auth: ["old", "keys"] };
  await using bench = await startFileBench((sim) => ({ sim, old: identity(old.hash), main }));
  const { claviger, upstream } = bench;
  const kept = await claviger.issueKey("kept");
  await claviger.addProvider("made", upstream.baseUrl, "credential-of-before");
  const state = async () => {
    const paths = ["keys", "providers", "credentials", "identities", "cluster"].map(
      (name) => `/api/v1/${name}`,
    );
    const answers = await Promise.all(paths.map((path) => claviger.control({ path })));
    return answers.map(({ text }) => text.replaceAll(/"last_used_at":("[^"]*"|null)/g, ""));
  };
  const before = await state();
  bench.write({
    sim: bench.provider,
    old: identity(old.hash),
    next: identity(next.hash),
    main: { ...main, auth: ["next", "keys"] },
  });
  const full = "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no room'); END";
  await changeStore(claviger.dataDir, full);
  const key = `/api/v1/keys/${kept.id}`;
  const provider = { name: "other", kind: "openai-compatible", base_url: upstream.baseUrl };
  const changes = [
    ["POST", "/api/v1/keys", { name: "unrecorded", permissions: [] }],
    ["PATCH", key, { name: "renamed" }],
    ["POST", `${key}/rotate`, { overlap: "24h" }],
    [
      "POST",
      "/api/v1/providers",
      { ...provider, credentials: [{ type: "api_key", value: "credential-new" }] },
    ],
    ["PATCH", "/api/v1/providers/made", { credentials: [{ type: "api_key", value: "credential-new" }] }],
    ["DELETE", "/api/v1/providers/made", undefined],
    ["POST", "/api/v1/config/reload", undefined],
    ["POST", "/api/v1/cluster/init", { pin: freshPin().expose() }],
    ["POST", "/api/v1/key/initialize", { key: "a passphrase of some length" }],
  ] as const;
  for (const [method, path, body] of changes) {
    const { status } = await claviger.control({ method, path, body });
    expect(status, `${method} ${path}`).toBeGreaterThanOrEqual(500);
  }
  expect(await state()).toEqual(before);
  expect(existsSync(join(claviger.dataDir, "etc", "credentials", "pin_derived_key"))).toBe(false);
  expect([await bench.chat(old.key), await bench.chat(next.key)]).toEqual([200, 401]);
  await changeStore(claviger.dataDir, "DROP TRIGGER full");
  expect((await bench.reload()).status).toBe(200);
  expect([await bench.chat(old.key), await bench.chat(next.key)]).toEqual([401, 200]);
  expect((await claviger.control({ path: "/api/v1/key/status" })).json).toMatchObject({ initialized: false });
});
