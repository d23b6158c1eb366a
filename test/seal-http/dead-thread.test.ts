import { mkdtempDisposableSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Worker } from "node:worker_threads";
import { expect, test, vi } from "vitest";
import * as z from "zod";
import { startClaviger } from "#test/claviger.ts";
import { fillSecrets } from "#test/seal/fill-secrets.ts";
import { adminOf, audited, freshKey, keyApi, outcomeOf } from "./bench.ts";

vi.setConfig({ testTimeout: 60_000 });

/** So many are sealed by a thread of its own. */
const MANY = 1_500;
const progress = z.object({ running: z.boolean(), done: z.number(), total: z.number() });

/** A server with many secrets under a key, the thread of whose next rotation is killed as soon as it is there. */
async function rotateOverADeadThread() {
  const all = new AsyncDisposableStack();
  const directory = all.use(mkdtempDisposableSync(join(tmpdir(), "claviger-dead-thread-")));
  const dataDir = join(directory.path, "data");
  await fillSecrets(dataDir, MANY);
  const claviger = all.use(await startClaviger({ dataDir }));
  const api = keyApi(claviger, await adminOf(claviger));
  const [first, second] = [freshKey(), freshKey()];
  await api.initialize(first);
  const killed = Promise.withResolvers<number>();
  process.once("worker", (worker: Worker) => killed.resolve(worker.terminate()));
  const answer = await api.rotate(first, second);
  await killed.promise;
  return { claviger, api, first, second, answer, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

test("[S7] a rotation whose thread dies says that the new key holds, which it does, and the repair does the rest", async () => {
  await using own = await rotateOverADeadThread();
  const { api, first, second, answer } = own;
  expect(outcomeOf(answer)).toBe("503 reseal_unfinished");
  expect(answer.json).toMatchObject({
    detail: expect.stringMatching(/^The new key holds, and the old one is/),
  });
  expect(own.claviger.logged()).toMatch(/sealing thread ended: \d.*stored secrets were not all sealed anew/);
  expect(outcomeOf(await api.rotate(first, freshKey()))).toBe("403 wrong_key");
  const repaired = await api.rotate(second, second);
  expect([repaired.status, repaired.json]).toEqual([
    200,
    { resealed: expect.any(Number), skipped: expect.any(Number), failed: [] },
  ]);
  expect(repaired.json).toMatchObject({ resealed: expect.toSatisfy((count: number) => count >= MANY) });
  expect(await audited(own.claviger)).toEqual([
    "key.initialize success",
    "key.rotate success",
    "key.rotate failure",
    "key.rotate denied",
    "key.rotate success",
  ]);
});

test("[S7] or the next unlock does it", async () => {
  await using own = await rotateOverADeadThread();
  const { api, first, second, answer } = own;
  expect(outcomeOf(answer)).toBe("503 reseal_unfinished");
  expect((await api.lock()).status).toBe(200);
  expect(outcomeOf(await api.unlock(first))).toBe("403 wrong_key");
  expect((await api.unlock(second)).status).toBe(200);
  await own.claviger.app.seal.settled();
  const { running, done, total } = progress.parse((await api.reseal()).json);
  expect([running, done]).toEqual([false, total]);
  expect(total).toBeGreaterThanOrEqual(MANY);
  const looked = await api.rotate(second, second);
  expect(looked.json).toEqual({ resealed: 0, skipped: total, failed: [] });
});
