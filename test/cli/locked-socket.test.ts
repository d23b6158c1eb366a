import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { EXIT } from "#cli/exit-codes.ts";
import { startClaviger } from "../claviger.ts";
import { firstPerson, freshPassword, logIn } from "../people/person.ts";
import { claviger, scratch } from "../start/process.ts";

vi.setConfig({ testTimeout: 120_000 });

test("[N10] on a locked server user list, user passwd, status, doctor, audit and backup work by command, as local; others do not", async () => {
  using place = scratch();
  await using server = await startClaviger();
  await firstPerson(server);
  const { key } = await server.issueKey("admin", ["superadmin"]);
  const serverKey = freshPassword();
  for (const [verb, body] of [["initialize", { key: serverKey }], ["lock"]] as const)
    await server.control({ method: "POST", path: `/api/v1/key/${verb}`, body });
  const run = (words: string[], input = "") => claviger(words, { env: { DATA_DIR: server.dataDir }, input });
  const file = join(place.root, "locked.backup");
  // Each has a deadline of its own, so that not all run at once.
  const both = (...words: string[][]) => Promise.all(words.map((each) => run(each)));
  const [status, list] = await both(["status", "--json"], ["user", "list", "--json"]);
  expect(JSON.parse(status?.stdout ?? "")).toMatchObject({ initialized: true, unlocked: false });
  expect(JSON.parse(list?.stdout ?? "")).toMatchObject([{ username: "admin", permissions: "superadmin" }]);
  const done = await both(["doctor"], ["backup", file]);
  expect(done.map((each) => each.status)).toEqual([EXIT.ok, EXIT.ok]);
  const next = freshPassword();
  expect(await run(["user", "passwd", "admin"], `${next}\n`)).toMatchObject({ status: EXIT.ok });
  expect((await logIn(server, { password: next })).status).toBe(200);
  const [tail, refused] = await both(["audit", "tail", "-n", "20"], ["api-key", "list"]);
  expect(refused?.status).toBe(EXIT.tryAgain);
  for (const action of ["user.password", "key.backup"])
    expect(tail?.stdout).toContain(` success local ${action} `);
  // By a listener the same is closed, whoever asks.
  const headers = { authorization: `Bearer ${key}` };
  for (const path of ["/api/v1/users", "/api/v1/status", "/api/v1/audit", "/api/v1/backup"])
    expect((await server.call({ path, headers })).status, path).toBe(503);
});
