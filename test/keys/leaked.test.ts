import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import * as z from "zod";
import { generateApiKey } from "#identity/keys/index.ts";
import { systemRandom } from "#platform/lib/random.ts";
import { FakeClock } from "../fake-clock.ts";
import { chat, MODEL, startBench } from "../gateway/bench.ts";
import { bearing, keyCalls } from "./key-calls.ts";

test.each([
  1, 2,
])("[I17] a leaked key is found by its text, revoked, and what it did is told; %i threads", async (workers) => {
  const clock = new FakeClock();
  await using bench = await startBench({ workers, clock });
  const keys = keyCalls(bench.claviger);
  const { id, key } = await keys.created("leaky");
  const ask = (bearer: string, model = MODEL) =>
    bench.claviger.call({
      method: "POST",
      path: "/v1/chat/completions",
      headers: bearing(bearer),
      body: chat({ model }),
    });
  for (let turn = 0; turn < 22; turn++) {
    clock.advance(1000);
    expect((await ask(key, turn === 21 ? "sim9/none" : MODEL)).status).toBe(turn === 21 ? 404 : 200);
  }
  await ask(bench.key);
  const lastUse = new Date(clock.now()).toISOString();
  const answer = await keys.leaked(`${key}\n`);
  expect(answer).toMatchObject({
    status: 200,
    json: {
      key: { id, name: "leaky", last_address: "127.0.0.1", last_used_at: lastUse, revoked_at: lastUse },
    },
  });
  const { requests } = z.object({ requests: z.array(z.unknown()) }).parse(answer.json);
  expect(requests).toHaveLength(20);
  expect(requests.slice(0, 2)).toMatchObject([
    { status: 404, time: lastUse },
    { status: 200, provider: "sim" },
  ]);
  expect((await ask(key)).status).toBe(401);
  expect((await ask(bench.key)).status).toBe(200);
  // Once more, it is told again.
  expect(await keys.leaked(key)).toMatchObject({ status: 200, json: { key: { id, revoked_at: lastUse } } });
});

test("[I17] a text that is no key's is 404; neither answer, log nor disk repeats what was sent", async () => {
  await using bench = await startBench();
  const keys = keyCalls(bench.claviger);
  const known = await keys.created("known");
  const unknown = generateApiKey(systemRandom).key.expose();
  const long = unknown.repeat(200);
  const answers = [
    await keys.leaked(unknown),
    await keys.leaked(known.key.slice(0, -1)),
    await keys.leaked(""),
    await keys.leaked(long),
    await keys.leaked([unknown]),
    await bench.claviger.control({ method: "POST", path: "/api/v1/keys/leaked", body: `{"key":"${unknown}` }),
    await bench.claviger.control({ method: "POST", path: "/api/v1/keys/leaked", body: { [unknown]: 1 } }),
    await keys.leaked(known.key),
  ];
  expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 400, 400, 400, 400, 200]);
  const secrets = [unknown.slice(25, 60), known.key.slice(25, 60)];
  for (const secret of secrets) expect(bench.claviger.logged()).not.toContain(secret);
  for (const { text } of [...answers.slice(0, 6), ...answers.slice(7)])
    for (const secret of secrets) expect(text).not.toContain(secret);
  await bench.claviger.app.close();
  for (const file of readdirSync(bench.claviger.dataDir, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    const bytes = readFileSync(path.join(file.parentPath, file.name));
    for (const secret of secrets) expect(bytes.includes(secret), file.name).toBe(false);
  }
});

test("[I17] [I15] who may not manage keys reports none", async () => {
  await using bench = await startBench();
  const { key } = await keyCalls(bench.claviger).created("other");
  expect((await keyCalls(bench.claviger, bench.key).leaked(key)).status).toBe(403);
  expect((await bench.claviger.call({ path: "/v1/models", headers: bearing(key) })).status).toBe(200);
});
