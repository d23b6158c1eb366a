import { once } from "node:events";
import { mkdtempDisposableSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { createHttpServer } from "#platform/http/server.ts";
import { AppError } from "#platform/lib/error.ts";
import { createLog } from "#platform/log/log.ts";
import { openSqlite } from "#platform/storage/sqlite.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { listenerPolicy } from "#test/listener-policy.ts";
import { seededRandom } from "#test/seeded-random.ts";
import { serverKeyRoutes } from "./routes.ts";

/** The routes over a seal whose rotation ends when the test says so. */
async function openRoutes() {
  const all = new AsyncDisposableStack();
  const directory = all.use(mkdtempDisposableSync(join(tmpdir(), "claviger-rotate-")));
  const clock = new FakeClock();
  const database = all.use(await openSqlite({ dataDir: directory.path, clock }));
  const begun = Promise.withResolvers<void>();
  const { promise: rotated, ...end } = Promise.withResolvers<{
    resealed: number;
    skipped: number;
    failed: [];
  }>();
  const unused = () => Promise.reject(new Error("not in this test"));
  const logged: string[] = [];
  const seal = {
    status: () => ({ initialized: true, unlocked: true }),
    rotate: () => {
      begun.resolve();
      return rotated;
    },
    resealProgress: () => ({ running: true, done: 3, total: 9 }),
    initialize: unused,
    unlock: unused,
    lock: () => Promise.reject(new AppError("storage_full")),
    revokeRecovery: unused,
    fingerprint: () => undefined,
    onLock: () => () => {},
    onUnlock: () => () => {},
  };
  const server = await createHttpServer({
    gates: {
      lock: { isLocked: () => false },
      authenticator: { authenticate: () => ({ refused: "unknown" }), holds: () => true },
      addressLimit: { failed: () => undefined, waitS: () => undefined },
      callerLimits: { begin: () => undefined },
      authorizer: { allows: () => true },
    },
    audit: { refused: () => {} },
    log: createLog({ level: "fatal", sink: { write: () => {} } }),
    tools: { clock, random: seededRandom(3) },
    gateway: { contracts: () => [], serve: () => {} },
    register: (api) => {
      const addresses = { failed: () => undefined, waitS: () => undefined };
      const log = { error: (_fields: unknown, text?: string) => void logged.push(text ?? "") };
      serverKeyRoutes(api, { seal, database, clock, log, addresses, unlocksItself: false });
    },
  });
  all.defer(() => server.close());
  const policy = listenerPolicy({ kind: "control" });
  const listening = createServer((request, response) => server.front(request, response, policy, null));
  await once(listening.listen(0, "127.0.0.1"), "listening");
  all.defer(() => void listening.close());
  const address = listening.address();
  const port = typeof address === "object" ? address?.port : 0;
  const post = (path: string, body?: object) =>
    fetch(`http://127.0.0.1:${port}/api/v1/key/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", connection: "close" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }).then(async (answer) => ({ status: answer.status, body: await answer.json() }));
  const rotate = () => post("rotate", { current_key: "a key in use", new_key: "another key" });
  return {
    clock,
    begun: begun.promise,
    end,
    post,
    rotate,
    logged,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

test("[S7] a rotation that is not over after 30 seconds is answered 202 with its progress, and goes on", async () => {
  await using routes = await openRoutes();
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  try {
    const answered = routes.rotate();
    let isAnswered = false;
    void answered.then(() => (isAnswered = true));
    await routes.begun;
    routes.clock.advance(29_999);
    vi.advanceTimersByTime(200);
    await new Promise(setImmediate);
    expect(isAnswered).toBe(false);
    routes.clock.advance(1);
    vi.advanceTimersByTime(200);
    expect(await answered).toEqual({ status: 202, body: { running: true, done: 3, total: 9 } });
  } finally {
    vi.useRealTimers();
  }
  expect(routes.logged).toEqual([]);
  routes.end.reject(new AppError("storage_full"));
  await expect
    .poll(() => routes.logged)
    .toEqual(["sealing the secrets anew has failed; rotate with equal keys"]);
});

test("[S7] one that is over sooner is answered with what it re-sealed, and one that fails with why", async () => {
  await using done = await openRoutes();
  done.end.resolve({ resealed: 9, skipped: 1, failed: [] });
  expect(await done.rotate()).toEqual({ status: 200, body: { resealed: 9, skipped: 1, failed: [] } });
  await using failed = await openRoutes();
  const answered = failed.rotate();
  await failed.begun;
  failed.end.reject(new AppError("seal_busy"));
  expect(await answered).toMatchObject({ status: 409, body: { code: "seal_busy" } });
});

test("[S7] one that a lock overtook is 409, and says whether the new key holds", async () => {
  for (const [thrown, said] of [
    [new AppError("server_locked"), /^Unlock the server first/],
    [new AppError("server_locked", "The new key holds, but the server was locked."), /^The new key holds/],
  ] as const) {
    await using routes = await openRoutes();
    const answered = routes.rotate();
    await routes.begun;
    routes.end.reject(thrown);
    const detail = expect.stringMatching(said);
    expect(await answered).toMatchObject({ status: 409, body: { code: "server_locked", detail } });
  }
});

test("[S9] [W1] a lock that holds but could not be written says both", async () => {
  await using routes = await openRoutes();
  expect(await routes.post("lock")).toMatchObject({
    status: 507,
    body: {
      code: "storage_full",
      detail: expect.stringMatching(/^The server is locked, but that could not be written/),
    },
  });
});
