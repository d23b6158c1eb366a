import { expect, test, vi } from "vitest";
import { EXIT } from "#cli/exit-codes.ts";
import { startClaviger } from "../claviger.ts";
import { freshKey } from "../seal-http/bench.ts";
import { claviger } from "../start/process.ts";

vi.setConfig({ testTimeout: 60_000 });

test("[L2] [L1] [S2] [S5] [S7] [S9] [S15] the server key by command: set, locked, unlocked, rotated, keys on stdin and never shown", async () => {
  await using server = await startClaviger();
  const [first, second] = [freshKey(), freshKey()];
  const said: string[] = [];
  const run = async (words: string[], input?: string) => {
    const where = { env: { DATA_DIR: server.dataDir } };
    const ended = await claviger(words, input === undefined ? where : { ...where, input });
    said.push(ended.stdout, ended.stderr);
    return ended;
  };
  expect(await run(["key", "unlock"], `${first}\n`)).toMatchObject({ status: EXIT.data });
  expect(await run(["key", "init"])).toMatchObject({ status: EXIT.usage });
  const made = await run(["key", "init", "--recovery", "--json"], `${first}\n`);
  expect([made.status, made.stderr]).toEqual([
    EXIT.ok,
    expect.stringMatching(/^Save the server key before you set it/),
  ]);
  const { recovery_key: recovery, ...status } = JSON.parse(made.stdout);
  expect(status).toEqual({ initialized: true, unlocked: true });
  expect(await run(["key", "lock"])).toMatchObject({ status: EXIT.ok });
  const locked = await run(["key", "status", "--json"]);
  expect([locked.status, locked.stdout]).toEqual([EXIT.tryAgain, '{"initialized":true,"unlocked":false}\n']);
  const shown = await run(["status"]);
  expect(shown).toMatchObject({
    status: EXIT.tryAgain,
    stdout: expect.stringContaining(`process ${process.pid}`),
  });
  expect(shown.stdout).toContain("locked; it serves nothing until it is unlocked: claviger key unlock");
  expect((await run(["doctor"])).stderr).toContain(
    "the server is locked; unlock it with: claviger key unlock",
  );
  const wrong = await run(["key", "unlock"], `${second}\n`);
  expect([wrong.status, wrong.stderr]).toEqual([
    EXIT.notPermitted,
    "claviger: This is not the server key.\n",
  ]);
  expect(await run(["key", "unlock"], `${recovery}\n`)).toMatchObject({
    status: EXIT.ok,
    stdout: "unlocked\n",
  });
  const rotated = await run(["key", "rotate"], `${first}\n${second}\n`);
  expect([rotated.status, rotated.stdout]).toEqual([
    EXIT.ok,
    expect.stringMatching(/^The new server key holds; the old one is refused\.\n\d+ secrets re-sealed/),
  ]);
  const watched = await run(["key", "status", "--watch", "--json"]);
  expect(JSON.parse(watched.stdout)).toEqual({
    initialized: true,
    unlocked: true,
    reseal: { running: false, done: expect.any(Number), total: expect.any(Number) },
  });
  for (const secret of [first, second]) expect(said.join("")).not.toContain(secret);
});
