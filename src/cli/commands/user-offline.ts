import { existsSync } from "node:fs";
import { join } from "node:path";
import { permissionSets } from "#gates/access/index.ts";
import { openAuditRecorder } from "#gates/audit/index.ts";
import { openPeople } from "#identity/users/index.ts";
import { loadConfig } from "#platform/config/load.ts";
import { loadAuditSecret, loadAuthKey } from "#platform/config/secrets.ts";
import { systemClock as clock } from "#platform/lib/clock.ts";
import { newRequestId } from "#platform/lib/id.ts";
import { systemRandom as random } from "#platform/lib/random.ts";
import { Secret } from "#platform/lib/secret.ts";
import { openSqlite } from "#platform/storage/sqlite.ts";
import type { CommandContext } from "../command-context.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import type { LocalFlags } from "./local-server.ts";
import { noSuchUser } from "./user-calls.ts";

/**
 * Sets a user's password in a data directory on which no server runs; gives the user's id. CliError 65 for an unknown user,
 * 69 where there is no store; AppError `weak_password`; StartError.
 */
export async function setPasswordOffline(
  context: CommandContext,
  flags: LocalFlags,
  { name, ask }: { readonly name: string; readonly ask: () => Promise<Secret> },
): Promise<string> {
  const places = flags.dataDir === undefined ? {} : { dataDir: flags.dataDir };
  const { dataDir } = loadConfig({ flags: places, env: context.env, homeDir: context.homeDir });
  if (!existsSync(join(dataDir, "db", "data.sqlite")))
    throw new CliError(`there is no store in ${dataDir}, and no server runs on it`, {
      exitCode: EXIT.notRunning,
      repair: "name its data directory: --data-dir DIR",
    });
  await using database = await openSqlite({ dataDir, clock });
  const secret = loadAuditSecret({ dataDir, random });
  const audit = openAuditRecorder({ database, clock, secret, directory: join(dataDir, "db") });
  await audit.start();
  const people = await openPeople({
    ...{ database, clock, random, audit },
    // No cookie is judged or made here.
    jwtSecret: new Secret(random.bytes(32).toString("hex")),
    ...{ initialPassword: undefined, isReachable: () => true, behindTls: false, cost: undefined },
    authKey: () => loadAuthKey({ dataDir, random }),
  });
  const user = people.find(name);
  if (user === undefined) throw noSuchUser(name, people.parts.held.users().length);
  const wanted = { password: (await ask()).expose(), mustChangePassword: false };
  const requestId = newRequestId(clock.now(), random);
  const by = { principal: { kind: "local" }, address: null, requestId } as const;
  await people.changes.setPassword(user.id, wanted, { by, sets: permissionSets({}).sets });
  await audit.close();
  return user.id;
}
