import { expect, test } from "vitest";
import { systemRandom } from "#platform/lib/random.ts";
import { newSecret, restoreElsewhere, takeBackup } from "#test/backup/backup-talk.ts";
import { startClaviger } from "#test/claviger.ts";
import { firstPerson, logIn, withCookie } from "./person.ts";

test("[S14] a restored store has its users and none of their sessions, also where the secret that signs them is the same", async () => {
  const env = { JWT_SECRET: systemRandom.bytes(32).toString("hex") };
  await using server = await startClaviger({ env });
  const own = await firstPerson(server);
  const password = newSecret();
  const { bytes } = await takeBackup(server, { password: password.expose() });
  using elsewhere = await restoreElsewhere(bytes, { password });
  await using restored = await startClaviger({ env, dataDir: elsewhere.dataDir });
  const me = { path: "/api/v1/me", headers: withCookie(own.cookie) };
  expect([(await server.call(me)).status, (await restored.call(me)).status]).toEqual([200, 401]);
  expect((await logIn(restored, { password: own.password })).status).toBe(200);
});
