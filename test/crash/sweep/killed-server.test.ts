import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { seededRandom } from "#test/seeded-random.ts";
import { startUpstream } from "#test/upstream.ts";
import { type Served, scratch, serve } from "../../start/process.ts";
import { expectInOrder } from "../whole.ts";
import { Model } from "./model.ts";

/** How often the server is killed. */
const KILLS = Number(process.env.CLAVIGER_CRASH_KILLS ?? 40);
const SEED = Number(process.env.CLAVIGER_CRASH_SEED ?? 1);
/** The most answers there are between a start and a kill. */
const MOST_ANSWERS = 24;

test("[S13] kill -9 under load: what was answered is there, one key opens, and every secret is sent as it was set", {
  timeout: 1_200_000,
}, async () => {
  using place = scratch();
  await using upstream = await startUpstream({ listsApart: true });
  mkdirSync(path.join(place.path, "etc"), { recursive: true });
  writeFileSync(path.join(place.path, "etc", "claviger.yaml"), "settings:\n  workers: 2\n");
  const random = seededRandom(SEED);
  const model = new Model(place.path, upstream);
  for (let kill = 0; kill < KILLS; kill++) {
    const server = await serve(place.path);
    await model.expectWhole(server.url);
    if (model.size.keys === 0) await model.issueKey();
    // Who is killed early each time would never have one.
    if (kill >= KILLS / 2 && !model.size.serverKey) await model.changeServerKey();
    const answers = 1 + ((random.bytes(1)[0] ?? 0) % MOST_ANSWERS);
    await loadUntilKilled(model, server, answers, kill);
  }
  await using server = await serve(place.path);
  await model.expectWhole(server.url);
  expect(model.size.providers).toBeGreaterThan(KILLS / 4);
  expect(model.size.serverKey).toBe(true);
  await server.kill("SIGTERM");
  expectInOrder(place.path, "set");
});

/** Changes of every kind at once; after so many answers the server is killed in the midst of the others. */
async function loadUntilKilled(model: Model, server: Served, answers: number, round: number): Promise<void> {
  let left = answers;
  let ended = false;
  const lane = async (work: (count: number) => Promise<void>) => {
    for (let count = 0; !ended; count++) {
      try {
        await work(count);
      } catch (error) {
        // Nothing but the kill may end a connection.
        if (ended) return;
        throw error;
      }
      left -= 1;
      if (left > 0 || ended) continue;
      ended = true;
      server.child.kill("SIGKILL");
    }
  };
  const added = (count: number) => (count < 3 ? model.addProvider() : model.changeProvider(count + 1));
  await Promise.all([
    lane(added),
    lane((count) => model.changeProvider(count + round)),
    lane(() => model.changeServerKey()),
    lane((count) => (count < 2 ? model.issueKey() : model.changeProvider(count + 2))),
  ]);
  await server.ended;
}
