import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { send } from "#test/claviger.ts";
import { freshKey, outcomeOf } from "#test/seal-http/bench.ts";
import { scratch, serve } from "#test/start/process.ts";

test("[S15] [S5] kill -9 undoes neither a lock by hand nor the count of wrong keys", {
  timeout: 120_000,
}, async () => {
  using place = scratch();
  const key = freshKey();
  const file = join(place.root, "server-key");
  writeFileSync(file, key, { mode: 0o400 });
  const start = () => serve(place.path, { env: { CLAVIGER_SERVER_KEY_FILE: file } });
  const socket = { socketPath: join(place.path, "run", "control.sock") };
  const post = async (path: string, body?: object) =>
    outcomeOf(await send(socket, { method: "POST", path: `/api/v1/key/${path}`, body }));
  const status = async () => (await send(socket, { path: "/api/v1/key/status" })).json;
  {
    await using server = await start();
    expect(await post("initialize", { key })).toBe(200);
    await server.kill("SIGKILL");
  }
  {
    await using server = await start();
    expect(await status()).toEqual({ initialized: true, unlocked: true });
    expect(await post("lock")).toBe(200);
    await server.kill("SIGKILL");
  }
  const outcomes: (string | number)[] = [];
  {
    await using server = await start();
    expect(await status()).toEqual({ initialized: true, unlocked: false });
    for (let wrong = 0; wrong < 10; wrong++) outcomes.push(await post("unlock", { key: freshKey() }));
    expect(outcomes.slice(0, 3)).toEqual(Array(3).fill("403 wrong_key"));
    await server.kill("SIGKILL");
  }
  await using _server = await start();
  expect(await status()).toEqual({ initialized: true, unlocked: false });
  // Three are free: were they free again, both would be wrong and no more.
  const next = [await post("unlock", { key: freshKey() }), await post("unlock", { key: freshKey() })];
  expect(next).toContain("429 rate_limited");
});
