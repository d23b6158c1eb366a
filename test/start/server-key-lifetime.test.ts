import { mkdtempDisposableSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startClaviger, type TestClaviger, type TestOptions } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { adminOf, freshKey, keyApi, outcomeOf } from "#test/seal-http/bench.ts";
import { startUpstream, UPSTREAM_MODEL } from "#test/upstream.ts";

/** One data directory; each `start` is a life of the server on it. */
function home(stack: DisposableStack) {
  const directory = stack.use(mkdtempDisposableSync(join(tmpdir(), "claviger-lifetime-")));
  const start = (options: TestOptions = {}) => startClaviger({ dataDir: directory.path, ...options });
  const write = (name: string, text: string) => {
    const path = join(directory.path, name);
    writeFileSync(path, text, { mode: 0o400 });
    return path;
  };
  return { start, write, path: directory.path };
}

const local = (claviger: TestClaviger, path: string, body?: unknown) =>
  claviger.control({ method: "POST", path: `/api/v1/key/${path}`, body });
const isUnlocked = (claviger: TestClaviger) => claviger.app.seal.status().unlocked;

test("[S3] [S1] each start after the first is locked and says how to unlock it; then all providers serve again at once", async () => {
  using stack = new DisposableStack();
  const { start } = home(stack);
  await using upstream = await startUpstream({ listsApart: true });
  const [key, stored, named] = [
    freshKey(),
    freshKey().replaceAll(/\W/g, "a"),
    freshKey().replaceAll(/\W/g, "b"),
  ];
  const resources = {
    filed: {
      resource_type: "Provider",
      kind: "openai-compatible",
      base_url: upstream.baseUrl,
      credential: { secret: "filed" },
    },
  };
  // The clock stands still: what was tried in vain while locked is not tried anew because of the time.
  const options = { yaml: JSON.stringify({ resources }), clock: new FakeClock() };
  let app: { key: string };
  {
    await using claviger = await start(options);
    expect(claviger.logged()).toContain('"server started; encryption not yet enabled"');
    await claviger.addProvider("held", upstream.baseUrl, stored);
    await claviger.control({ method: "PUT", path: "/api/v1/credentials/filed", body: { value: named } });
    app = await claviger.issueKey("app");
    expect((await local(claviger, "initialize", { key })).status).toBe(200);
  }
  await using claviger = await start(options);
  expect(claviger.logged()).toContain(
    '"server started; locked; unlock it with: claviger key unlock, or POST /api/v1/key/unlock"',
  );
  const headers = { authorization: `Bearer ${app.key}` };
  const chat = (model: string) =>
    claviger.call({
      method: "POST",
      path: "/v1/chat/completions",
      headers,
      body: { model, messages: [{ role: "user", content: "hello" }] },
    });
  expect((await chat(`held/${UPSTREAM_MODEL}`)).status).toBe(503);
  expect(upstream.requests).toHaveLength(0);
  expect((await local(claviger, "unlock", { key })).status).toBe(200);
  const models = await claviger.call({ path: "/v1/models", headers });
  expect(models.text).toContain(`"held/${UPSTREAM_MODEL}"`);
  expect(models.text).toContain(`"filed/${UPSTREAM_MODEL}"`);
  for (const name of ["held", "filed"]) expect((await chat(`${name}/${UPSTREAM_MODEL}`)).status).toBe(200);
  const sent = upstream.requests.map(({ rawHeaders }) =>
    rawHeaders.find((text) => text.startsWith("Bearer ")),
  );
  expect(sent).toEqual([`Bearer ${stored}`, `Bearer ${named}`]);
});

test("[S5] a restart forgets no wrong key", async () => {
  using stack = new DisposableStack();
  const { start } = home(stack);
  const clock = new FakeClock();
  let headers: Record<string, string>;
  {
    await using claviger = await start({ clock });
    headers = await adminOf(claviger);
    await local(claviger, "initialize", { key: freshKey() });
    for (let wrong = 0; wrong < 3; wrong++)
      expect(outcomeOf(await keyApi(claviger, headers).unlock(freshKey()))).toBe("403 wrong_key");
  }
  await using claviger = await start({ clock });
  expect(outcomeOf(await keyApi(claviger, headers).unlock(freshKey()))).toBe("429 rate_limited");
});

test("[S15] by a file or a systemd credential it unlocks itself; after a lock by hand only a hand unlocks it", async () => {
  using stack = new DisposableStack();
  const { start, write, path } = home(stack);
  const [key, wrong] = [freshKey(), freshKey()];
  const byFile = { env: { CLAVIGER_SERVER_KEY_FILE: write("key-file", `${key}\n`) } };
  const byCredential = { env: { CREDENTIALS_DIRECTORY: path } };
  write("server_key", key);
  const life = async (options: TestOptions, live: (claviger: TestClaviger) => Promise<void> | void) => {
    await using claviger = await start(options);
    await live(claviger);
    return claviger.logged();
  };
  const before = await life(byFile, async (claviger) => {
    expect((await local(claviger, "initialize", { key })).status).toBe(200);
  });
  expect(before).toContain("a server key is given to start with, but none is set");
  await life({}, (claviger) => expect(isUnlocked(claviger)).toBe(false));
  await life(byFile, async (claviger) => {
    expect(isUnlocked(claviger)).toBe(true);
    expect(claviger.logged()).toContain('"server started; encryption enabled"');
    expect((await claviger.control({ path: "/api/v1/providers" })).status).toBe(200);
  });
  await life(byCredential, async (claviger) => {
    expect(isUnlocked(claviger)).toBe(true);
    expect((await local(claviger, "lock")).status).toBe(200);
  });
  for (const options of [byFile, byCredential])
    await life(options, (claviger) => expect(isUnlocked(claviger)).toBe(false));
  await life({}, async (claviger) => {
    expect((await local(claviger, "unlock", { key })).status).toBe(200);
  });
  await life(byFile, (claviger) => expect(isUnlocked(claviger)).toBe(true));
  const refused = { env: { CLAVIGER_SERVER_KEY_FILE: write("wrong-file", wrong) } };
  const logged = await life(refused, (claviger) => expect(isUnlocked(claviger)).toBe(false));
  expect(logged).toContain("the server stays locked: the key it was to open itself with");
  expect(logged).not.toContain(wrong);
});

test("[S15] the key itself is not read from the environment, and a file that is missing stops the start", async () => {
  const key = freshKey();
  await expect(startClaviger({ env: { CLAVIGER_SERVER_KEY: key } })).rejects.toThrow(
    "CLAVIGER_SERVER_KEY is set, but not read from the environment",
  );
  await expect(startClaviger({ env: { CLAVIGER_SERVER_KEY: key } })).rejects.not.toThrow(key);
  await expect(startClaviger({ env: { CLAVIGER_SERVER_KEY_FILE: "/nonexistent/key" } })).rejects.toThrow(
    "the file does not exist",
  );
});
