import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startClaviger, type TestClaviger } from "#test/claviger.ts";
import { FakeClock } from "#test/fake-clock.ts";
import { adminOf, audited, freshKey, keyApi, outcomeOf } from "./bench.ts";

const UNLOCKED = { initialized: true, unlocked: true };
const LOCKED = { initialized: true, unlocked: false };

/** One server, from its first day on, in the order of the tests. */
describe("the life of a server key", () => {
  const clock = new FakeClock();
  const [first, second] = [freshKey(), freshKey()];
  let claviger: TestClaviger;
  let api: ReturnType<typeof keyApi>;
  const status = async () => (await claviger.call({ path: "/api/v1/key/status" })).text;
  beforeAll(async () => {
    claviger = await startClaviger({ clock });
    api = keyApi(claviger, await adminOf(claviger));
  });
  afterAll(() => claviger[Symbol.asyncDispose]());

  test("[S5] [S7] [S9] before one is set there is nothing to unlock, to rotate or to lock", async () => {
    expect(outcomeOf(await api.unlock(first))).toBe("400 key_not_initialized");
    expect(outcomeOf(await api.rotate(first, second))).toBe("400 key_not_initialized");
    expect(outcomeOf(await api.lock())).toBe("400 key_not_initialized");
    expect(await status()).toBe('{"initialized":false,"unlocked":true}');
  });

  test("[S2] [S5] whoever lacks settings.manage is 401 or 403, and changes nothing", async () => {
    const { key } = await claviger.issueKey("lesser", ["operator", "viewer"]);
    for (const [headers, refused] of [
      [{}, 401],
      [{ authorization: `Bearer ${key}` }, 403],
    ] as const) {
      const other = keyApi(claviger, headers);
      const answers = [
        await other.initialize(first),
        await other.unlock(first),
        await other.rotate(first, second),
        await other.lock(),
        await other.reseal(),
        await other.revokeRecovery(),
      ];
      expect(answers.map((answer) => answer.status)).toEqual(Array(6).fill(refused));
    }
    expect(await status()).toBe('{"initialized":false,"unlocked":true}');
  });

  test("[S2] what is no key is 400 in words, and never repeated", async () => {
    const long = freshKey().repeat(200);
    const cases: [object | string, string][] = [
      [{}, "400 bad_request"],
      [{ key: 12 }, "400 bad_request"],
      [{ key: null }, "400 bad_request"],
      [{ key: [first] }, "400 bad_request"],
      [{ key: "" }, "400 bad_request"],
      ['{"key":"\\ud800 is half a letter"}', "400 bad_request"],
      [{ key: first.slice(0, 11) }, "400 key_too_short"],
      [{ key: long }, "400 key_too_long"],
      [{ key: first, recovery: "yes" }, "400 bad_request"],
      [{ key: first, more: 1 }, "400 unknown_field"],
    ];
    for (const [body, refused] of cases) {
      const text = typeof body === "string" ? body : JSON.stringify(body);
      const headers = { "content-type": "application/json" };
      const answer = await claviger.control({
        method: "POST",
        path: "/api/v1/key/initialize",
        headers: { ...headers, "content-length": String(Buffer.byteLength(text)) },
        body: text,
      });
      expect(outcomeOf(answer), text.slice(0, 80)).toBe(refused);
      expect(answer.text).not.toContain(first.slice(0, 11));
      expect(answer.text).not.toContain(long.slice(0, 11));
    }
    expect(claviger.logged()).not.toContain(first.slice(0, 11));
    expect(await status()).toBe('{"initialized":false,"unlocked":true}');
  });

  test("[S2] [S3] it is set once, by one of two who do so at once, and the server stays unlocked", async () => {
    const answers = await Promise.all([api.initialize(first), api.initialize(first)]);
    const outcomes = answers.map(outcomeOf);
    expect(outcomes).toContain(200);
    expect(outcomes.filter((each) => each !== 200)).toEqual([expect.stringMatching(/^409 /)]);
    expect(answers.find((each) => each.status === 200)?.json).toEqual(UNLOCKED);
    expect(await status()).toBe('{"initialized":true,"unlocked":true}');
    expect(outcomeOf(await api.initialize(second))).toBe("409 key_initialized");
  });

  test("[S9] it is locked without a key, as often as one likes, and sign of life goes on", async () => {
    expect(await api.lock()).toMatchObject({ status: 200, json: LOCKED });
    expect(await api.lock()).toMatchObject({ status: 200, json: LOCKED });
    expect(await status()).toBe('{"initialized":true,"unlocked":false}');
    expect((await claviger.call({ path: "/healthz" })).status).toBe(200);
    expect((await claviger.call({ path: "/readyz" })).status).toBe(503);
  });

  test("[S4] of the key's routes, while locked, initialize and rotate are 409, and lock is 200", async () => {
    expect(outcomeOf(await api.initialize(second))).toBe("409 key_initialized");
    expect(outcomeOf(await api.rotate(first, second))).toBe("409 server_locked");
    expect(outcomeOf(await api.rotate(second, first))).toBe("409 server_locked");
    expect((await api.lock()).status).toBe(200);
    expect(await api.reseal()).toMatchObject({ status: 200, json: { running: false } });
  });

  test("[S5] unlock: 401 without credentials, 403 for a wrong key, 200 for the right one, also when unlocked", async () => {
    expect(outcomeOf(await keyApi(claviger, {}).unlock(first))).toBe("401 invalid_token");
    const wrong = await api.unlock(second);
    expect(outcomeOf(wrong)).toBe("403 wrong_key");
    expect(wrong.text).not.toContain(second);
    expect(outcomeOf(await api.unlock("short"))).toBe("403 wrong_key");
    expect(await status()).toBe('{"initialized":true,"unlocked":false}');
    expect(await api.unlock(first)).toMatchObject({ status: 200, json: UNLOCKED });
    expect(await api.unlock(first)).toMatchObject({ status: 200, json: UNLOCKED });
    expect(outcomeOf(await api.unlock(second))).toBe("403 wrong_key");
    expect(await status()).toBe('{"initialized":true,"unlocked":true}');
    expect((await claviger.control({ path: "/api/v1/providers" })).status).toBe(200);
  });

  test("[S5] the fourth wrong one in a row waits, by who asks; the right one too, and a wrong current key counts", async () => {
    clock.advance(60 * 60_000);
    const other = keyApi(claviger, await adminOf(claviger, "other"));
    for (const refused of [await api.unlock(second), await api.rotate(second, freshKey())])
      expect(outcomeOf(refused)).toBe("403 wrong_key");
    expect(outcomeOf(await api.unlock(second))).toBe("403 wrong_key");
    const waiting = [await api.unlock(second), await api.unlock(first), await api.rotate(first, second)];
    for (const answer of waiting) {
      expect(outcomeOf(answer)).toBe("429 rate_limited");
      expect(answer.headers["retry-after"]).toBe("1");
    }
    expect((await other.unlock(first)).status).toBe(200);
    expect(
      (await claviger.control({ method: "POST", path: "/api/v1/key/unlock", body: { key: first } })).status,
    ).toBe(200);
    clock.advance(1000);
    expect((await api.unlock(first)).status).toBe(200);
  });

  test("[S7] [S8] [S10] rotate: a short new key is 400, of two at once one wins, and from then on the old one is refused", async () => {
    clock.advance(60 * 60_000);
    expect(outcomeOf(await api.rotate(first, "too short"))).toBe("400 key_too_short");
    const answers = await Promise.all([api.rotate(first, second), api.rotate(first, second)]);
    const outcomes = answers.map(outcomeOf);
    expect(outcomes).toContain(200);
    expect(outcomes.filter((each) => each !== 200)).toEqual([
      expect.stringMatching(/^(409 seal_busy|403 wrong_key)$/),
    ]);
    expect(answers.find((each) => each.status === 200)?.json).toEqual({
      resealed: expect.any(Number),
      skipped: expect.any(Number),
      failed: [],
    });
    expect(outcomeOf(await api.unlock(first))).toBe("403 wrong_key");
    expect((await api.unlock(second)).status).toBe(200);
    expect((await api.rotate(second, second)).json).toMatchObject({ failed: [] });
    expect((await api.unlock(second)).status).toBe(200);
  });

  test("[S16] every one of these calls is in the audit log, refused and failed ones too", async () => {
    const seen = await audited(claviger);
    for (const row of [
      "key.initialize failure",
      "key.initialize denied",
      "key.initialize success",
      "key.lock failure",
      "key.lock denied",
      "key.lock success",
      "key.unlock failure",
      "key.unlock denied",
      "key.unlock success",
      "key.rotate failure",
      "key.rotate denied",
      "key.rotate success",
    ])
      expect(seen, row).toContain(row);
  });
});

test("[S15] the recovery key is shown once, unlocks, and does not once it is revoked", async () => {
  await using claviger = await startClaviger();
  const api = keyApi(claviger, await adminOf(claviger));
  const key = freshKey();
  const { json } = await api.initialize(key, { recovery: true });
  expect(json).toEqual({ ...UNLOCKED, recovery_key: expect.any(String) });
  const recovery = recoveryOf(json);
  await api.lock();
  expect((await api.unlock(recovery)).status).toBe(200);
  await api.rotate(key, freshKey());
  await api.lock();
  expect((await api.unlock(recovery)).status).toBe(200);
  for (const _twice of [1, 2]) expect((await api.revokeRecovery()).status).toBe(204);
  expect(outcomeOf(await api.unlock(recovery))).toBe("403 wrong_key");
});

function recoveryOf(json: unknown): string {
  if (typeof json === "object" && json !== null && "recovery_key" in json) return String(json.recovery_key);
  throw new Error("no recovery key");
}

test("[A12] [S5] past its limit of failures no key from an address is looked at, while the control socket's is", async () => {
  const clock = new FakeClock();
  await using claviger = await startClaviger({ clock });
  const headers = await adminOf(claviger);
  const key = freshKey();
  const api = keyApi(claviger, headers);
  await api.initialize(key);
  await api.lock();
  for (let wrong = 0; wrong < 60; wrong++)
    await claviger.call({ path: "/api/v1/key/reseal", headers: { authorization: "Bearer no key of ours" } });
  const refused = await api.unlock(key);
  expect(outcomeOf(refused)).toBe("429 rate_limited");
  expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
  expect((await claviger.control({ method: "POST", path: "/api/v1/key/unlock", body: { key } })).status).toBe(
    200,
  );
  clock.advance(60_000);
  expect((await api.unlock(key)).status).toBe(200);
});

test("[A12] wrong server keys count as failures of their address", async () => {
  const clock = new FakeClock();
  await using claviger = await startClaviger({ clock });
  const admins = await Promise.all(Array.from({ length: 21 }, (_, at) => adminOf(claviger, `admin-${at}`)));
  const apis = admins.map((headers) => keyApi(claviger, headers));
  await apis[0]?.initialize(freshKey());
  const outcomes: (string | number)[] = [];
  for (const api of apis)
    for (let time = 0; time < 3; time++) outcomes.push(outcomeOf(await api.unlock(freshKey())));
  expect(outcomes).toEqual([...Array(60).fill("403 wrong_key"), ...Array(3).fill("429 rate_limited")]);
});

test("[S5] 64 wrong keys at once: three of each principal are looked at, and others are served meanwhile", async () => {
  await using claviger = await startClaviger({ clock: new FakeClock() });
  const admins = await Promise.all([1, 2, 3, 4].map((at) => adminOf(claviger, `admin-${at}`)));
  const [key, wrong] = [freshKey(), freshKey()];
  const apis = admins.map((headers) => keyApi(claviger, headers));
  await apis[0]?.initialize(key);
  await apis[0]?.lock();
  const all = Promise.all(apis.flatMap((api) => Array.from({ length: 16 }, () => api.unlock(wrong))));
  let served = 0;
  const settled = all.then(() => true);
  while (!(await Promise.race([settled, claviger.call({ path: "/healthz" }).then(() => false)]))) served += 1;
  const outcomes = (await all).map(outcomeOf);
  expect(outcomes.filter((each) => each === "403 wrong_key")).toHaveLength(12);
  expect(outcomes.filter((each) => each === "429 rate_limited")).toHaveLength(52);
  expect(served).toBeGreaterThan(0);
  expect((await claviger.control({ method: "POST", path: "/api/v1/key/unlock", body: { key } })).status).toBe(
    200,
  );
});
