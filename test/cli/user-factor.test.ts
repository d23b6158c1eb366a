import { expect, test, vi } from "vitest";
import { EXIT } from "#cli/exit-codes.ts";
import { startClaviger } from "../claviger.ts";
import { codeOf, firstPerson, logIn } from "../people/person.ts";
import { claviger, Program } from "../start/process.ts";

vi.setConfig({ testTimeout: 120_000 });

test("[U7] [L2] a second factor by command: the seed once, on when a code confirmed it, then the recovery codes; refused where one is on", async () => {
  await using server = await startClaviger();
  const { password } = await firstPerson(server);
  const words = ["user", "add-second-factor", "admin"];
  const env = { DATA_DIR: server.dataDir };
  const wrong = await claviger(words, { env, input: "000\n" });
  expect([wrong.status, wrong.stderr]).toEqual([
    EXIT.data,
    expect.stringContaining("no second factor is on"),
  ]);
  expect((await logIn(server, { password })).status).toBe(200);
  await using program = new Program(words, env);
  const [, secret = ""] = await program.says(/^otpauth:\/\/totp\/Claviger%3Aadmin\?secret=([A-Z2-7]{32})&/);
  const code = codeOf(secret, Date.now());
  program.child.stdin?.end(` ${code.slice(0, 3)} ${code.slice(3)}\n`);
  const done = await program.ended;
  expect([done.status, done.stderr]).toEqual([EXIT.ok, ""]);
  const recovery = done.stdout.match(/^(\w{4}-){3}\w{4}$/gm) ?? [];
  expect(recovery).toHaveLength(10);
  expect((await logIn(server, { password })).json).toMatchObject({ code: "second_factor_required" });
  expect((await logIn(server, { password, code: recovery[0] ?? "" })).status).toBe(200);
  const again = await claviger(words, { env });
  expect([again.status, again.stdout]).toEqual([EXIT.data, ""]);
  expect(again.stderr).toContain("take it off first");
});
