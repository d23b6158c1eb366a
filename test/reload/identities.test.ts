import { scryptSync } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { argon2id } from "#platform/lib/argon2.ts";
import { systemRandom } from "#platform/lib/random.ts";
import { startClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { newPair, type Pair, startFileBench } from "./file.ts";

const listener = (auth: readonly string[], more: object = {}) => ({
  resource_type: "HttpServer",
  listen_addr: "127.0.0.1:0",
  auth,
  ...more,
});
/** A key of another make, and its argon2id or scrypt hash as other software writes it. */
async function imported(algorithm: string): Promise<Pair> {
  const key = `imported-${systemRandom.bytes(12).toString("hex")}`;
  const salt = systemRandom.bytes(16);
  const [parameters, made] =
    algorithm === "scrypt"
      ? ["ln=12,r=8,p=1", scryptSync(key, salt, 32, { N: 2 ** 12, r: 8, p: 1 })]
      : [
          "v=19$m=4096,t=1,p=1",
          await argon2id(key, { memoryKib: 4096, passes: 1, lanes: 1, salt, length: 32 }),
        ];
  const [saltText, madeText] = [salt, made].map((bytes) => bytes.toString("base64").replace(/=+$/, ""));
  const phc = `$${algorithm}$${parameters}$${saltText}$${madeText}`;
  return { key, hash: Buffer.from(phc).toString("base64") };
}

const identity = (hash: string, more: object = {}) => ({
  resource_type: "Identity",
  credential: { api_key: hash },
  permissions: "gateway",
  ...more,
});

test.each([
  1, 2,
])("[I3] [I4] [I7] [I17] an identity of the file enters by the listeners that name it, with %i threads", async (workers) => {
  const [shop, till, stranger] = [newPair(), newPair(), newPair()];
  await using bench = await startFileBench(
    (sim) => ({
      sim,
      shop: identity(shop.hash),
      till: identity(till.hash, { id: "till-1" }),
      shops: listener(["shop"]),
    }),
    { workers },
  );
  expect(await bench.chat(shop.key)).toBe(200);
  expect(await bench.chat(till.key)).toBe(401);
  expect(await bench.chat(stranger.key)).toBe(401);
  expect(await bench.chat(undefined)).toBe(401);
  // A key issued at run time is not let in by a listener that does not say keys.
  expect(await bench.chat((await bench.claviger.issueKey("issued")).key)).toBe(401);
  // What another thread logs comes a little later.
  while (!bench.claviger.logged().includes('"not_here"')) await nextTurn();
  const rows = (await bench.claviger.control({ path: "/api/v1/requests" })).text;
  expect(rows).toContain('"principal":"shop"');
  const leaked = await bench.claviger.control({
    method: "POST",
    path: "/api/v1/keys/leaked",
    body: { key: till.key },
  });
  expect([leaked.status, leaked.text.includes("the identity till of the configuration file")]).toEqual([
    409,
    true,
  ]);
  for (const { key } of [shop, till, stranger]) expect(bench.claviger.logged()).not.toContain(key);
});

test("[I3] [I14] limits, expiry, addresses and permissions of an identity hold", async () => {
  const clock = new FakeClock();
  const [limited, ending, elsewhere, bare] = [newPair(), newPair(), newPair(), newPair()];
  const expires = new Date(clock.now() + 60_000).toISOString();
  await using bench = await startFileBench(
    (sim) => ({
      sim,
      limited: identity(limited.hash, { limits: { requests_per_minute: 2 } }),
      ending: identity(ending.hash, { expires_at: expires }),
      elsewhere: identity(elsewhere.hash, { allowed_ips: ["192.0.2.0/24"] }),
      bare: identity(bare.hash, { permissions: [] }),
      all: listener(["limited", "ending", "elsewhere", "bare"]),
    }),
    { clock },
  );
  expect([
    await bench.chat(limited.key),
    await bench.chat(limited.key),
    await bench.chat(limited.key),
  ]).toEqual([200, 200, 429]);
  expect(await bench.chat(ending.key)).toBe(200);
  clock.advance(60_000);
  expect(await bench.chat(ending.key)).toBe(401);
  expect(await bench.chat(elsewhere.key)).toBe(401);
  expect(await bench.chat(bare.key)).toBe(403);
  const { text } = await bench.claviger.control({ path: "/api/v1/identities/ending" });
  expect(JSON.parse(text)).toMatchObject({ name: "ending", source: "file", expires_at: expires });
  expect(JSON.parse(text).last_used_at).not.toBeNull();
  expect(text).not.toContain(ending.hash);
});

test.each([
  ["argon2id", 1],
  ["argon2id", 2],
  ["scrypt", 1],
] as const)("[I9] [A12] a key known by its %s hash enters; past the limit of its address no more is tried, with %i threads", async (algorithm, workers) => {
  const [known, late] = [await imported(algorithm), await imported(algorithm)];
  const { key } = known;
  const fast = newPair();
  await using bench = await startFileBench(
    (sim) => ({
      sim,
      known: identity(known.hash),
      late: identity(late.hash),
      fast: identity(fast.hash),
      all: listener(["known", "late", "fast"]),
    }),
    { workers, clock: new FakeClock() },
  );
  expect([await bench.chat(key), await bench.chat(key)]).toEqual([200, 200]);
  const wrong = await Promise.all(Array.from({ length: 20 }, (_, index) => bench.chat(`${key}${index}`)));
  expect(new Set(wrong)).toEqual(new Set([401]));
  for (let tries = 0; tries < 40; tries += 1) await bench.chat(`${key}-${tries}`);
  expect(await bench.chat(`${key}-once-more`)).toBe(429);
  // A right one that would have to be computed first is not, from there.
  expect(await bench.chat(late.key)).toBe(429);
  // What was found before needs no work; a thread that never saw the key would have some.
  if (workers === 1) expect(await bench.chat(key)).toBe(200);
  expect(await bench.chat(fast.key)).toBe(200);
});

test("[I5] without authentication a listener serves the gateway to everyone, and says so", async () => {
  await using bench = await startFileBench((sim) => ({
    sim,
    models: { resource_type: "PermissionSet", allow: ["models.read"] },
    open: { resource_type: "HttpServer", listen_addr: "127.0.0.1:0", auth: null },
    narrow: {
      resource_type: "HttpServer",
      listen_addr: "[::1]:0",
      auth: null,
      anonymous_permissions: "models",
    },
  }));
  expect(await bench.chat(undefined)).toBe(200);
  // A credential that is presented is judged.
  expect(await bench.chat(newPair().key)).toBe(401);
  expect((await bench.claviger.call({ path: "/api/v1/keys" })).status).toBe(404);
  const [, narrow = ""] = bench.claviger.app.urls;
  expect(await bench.chat(undefined, narrow)).toBe(403);
  expect(bench.claviger.logged()).toContain("authentication is off on this listener");
});

test("[I1] [I2] [I3] [I4] a file in the style of other edge servers is taken over as it is", async () => {
  const pair = newPair();
  const yaml = `# One identity for the operators, one for the devices.
resources:
  full_access:
    resource_type: PermissionSet
    permissions: full
  device_access:
    resource_type: PermissionSet
    allow:
      - gateway.use
  admin_identity:
    resource_type: Identity
    credential:
      api_key: "${pair.hash}"
    permissions: full_access
  device_identity:
    resource_type: Identity
    credential:
      api_key: "${newPair().hash}"
    permissions: device_access
  my_http_server:
    resource_type: HttpServer
    listen_addr: "127.0.0.1:0"
    auth:
      - admin_identity
      - device_identity
`;
  await using claviger = await startClaviger({ yaml, listen: [] });
  const headers = { authorization: `Bearer ${pair.key}` };
  expect((await claviger.call({ path: "/api/v1/keys", headers })).status).toBe(200);
  expect((await claviger.call({ path: "/api/v1/keys" })).status).toBe(401);
});
