import { expect, test } from "vitest";
import { startClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { seededRandom } from "#test/seeded-random.ts";
import { startUpstream, type Upstream } from "#test/upstream.ts";

/** A server with a pool of three credentials for one upstream, its clock in the test's hand. */
async function startPool() {
  const stack = new AsyncDisposableStack();
  const upstream = stack.use(await startUpstream({ listsApart: true }));
  const clock = new FakeClock();
  const claviger = stack.use(await startClaviger({ clock }));
  const random = seededRandom(11);
  const pool = ["a", "b", "c"].map((name) => `${name}-${random.bytes(12).toString("hex")}`);
  const listing = upstream.nextListing();
  const credentials = pool.map((value) => ({ type: "api_key", value }));
  const body = { name: "sim", kind: "openai-compatible", base_url: upstream.baseUrl, credentials };
  await claviger.control({ method: "POST", path: "/api/v1/providers", body });
  await listing;
  const { key } = await claviger.issueKey("app");
  return {
    upstream,
    clock,
    claviger,
    pool,
    ask: () =>
      claviger.call({
        method: "POST",
        path: "/v1/embeddings",
        headers: { authorization: `Bearer ${key}` },
        body: { model: "sim/sim-1", input: "x" },
      }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const presented = (upstream: Upstream) =>
  upstream.requests.map(({ rawHeaders }) =>
    rawHeaders.find((text) => text.startsWith("Bearer "))?.replace(/^Bearer (.).*/, "$1"),
  );

test.each([
  [401, 502],
  [403, 502],
  [429, 429],
])("[G2] after a %i the next request takes the next credential; none is sent twice", async (status, answered) => {
  await using bench = await startPool();
  const { upstream, clock, ask } = bench;
  upstream.behave({ kind: "error", status });
  expect((await ask()).status).toBe(answered);
  expect(presented(upstream)).toEqual(["a"]);
  upstream.behave({ kind: "ok" });
  expect((await ask()).status).toBe(200);
  expect((await ask()).status).toBe(200);
  expect(presented(upstream)).toEqual(["a", "b", "b"]);
  clock.advance(29_999);
  await ask();
  clock.advance(1);
  await ask();
  expect(presented(upstream).slice(3)).toEqual(["b", "a"]);
});

test.each([
  400, 404, 408, 500, 503,
])("[G2] a %i says nothing of the credential, which stays in use", async (status) => {
  await using bench = await startPool();
  bench.upstream.behave({ kind: "error", status });
  await bench.ask();
  await bench.ask();
  expect(presented(bench.upstream)).toEqual(["a", "a"]);
});

test.each([
  ["5", 5_000],
  ["0", 1_000],
  ["86400", 600_000],
  ["Thu, 01 Jan 2026 00:00:07 GMT", 7_000],
  ["nonsense", 30_000],
])("[G2] a Retry-After of %s is kept within its bounds", async (retryAfter, coolMs) => {
  await using bench = await startPool();
  const { upstream, clock, ask } = bench;
  upstream.behave({ kind: "error", status: 429, headers: { "retry-after": retryAfter } });
  await ask();
  upstream.behave({ kind: "ok" });
  clock.advance(coolMs - 1);
  await ask();
  clock.advance(1);
  await ask();
  expect(presented(upstream)).toEqual(["a", "b", "a"]);
});

test("[G2] where every credential is refused, the one that was so first is tried again", async () => {
  await using bench = await startPool();
  const { upstream, clock, ask } = bench;
  upstream.behave({ kind: "error", status: 401 });
  for (let turn = 0; turn < 5; turn++) {
    await ask();
    clock.advance(1);
  }
  expect(presented(upstream)).toEqual(["a", "b", "c", "a", "b"]);
});

test("[G2] [G3] an answer repeats no credential of the pool that was sent, and a test that is refused takes the next", async () => {
  await using bench = await startPool();
  const { upstream, claviger, pool, ask } = bench;
  upstream.behave({ kind: "echo-credential" });
  const refused = await claviger.control({ method: "POST", path: "/api/v1/providers/sim/test" });
  expect(refused.json).toMatchObject({ ok: false });
  const answers = [refused, await ask(), await ask()];
  expect(presented(upstream)).toEqual(["b", "c"]);
  for (const secret of pool)
    expect(JSON.stringify(answers) + claviger.logged()).not.toContain(secret.slice(2));
});
