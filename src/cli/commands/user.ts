import type { Command } from "commander";
import type { CommandContext } from "../command-context.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { askNewKey } from "./key-prompts.ts";
import { type ListFlags, withListFlags } from "./list-flags.ts";
import { type LocalFlags, serverMeant } from "./local-server.ts";
import { userCalls } from "./user-calls.ts";
import { addFactorCommand } from "./user-factor.ts";

const COLUMNS = [
  "id",
  "username",
  "permissions",
  "must_change_password",
  "second_factor",
  "created_at",
  "last_signed_in_at",
] as const;
const SORTS = ["username", "created_at", "last_signed_in_at"];

/** `claviger user add | list | passwd | permissions | add-second-factor | drop-second-factor | remove`. */
export function userCommands(program: Command, context: CommandContext): void {
  const group = program.command("user").description("people who sign in to this server");
  const command = (words: string, says: string) =>
    group
      .command(words)
      .description(says)
      .option("--json", "print JSON")
      .option("--data-dir <dir>", "the server's data directory");
  addCommand(command("add <username>", "add a user; the password is asked for, or read from stdin"), context);
  listCommand(command("list", "list the users"), context);
  passwdCommand(
    command("passwd <user>", "set a user's password: the user's sessions end, no address stays locked out"),
    context,
  );
  permissionsCommand(
    command("permissions <user> <set...>", "give a user these permission sets, in place of the others"),
    context,
  );
  addFactorCommand(
    command("add-second-factor <user>", "have a user's sign-ins ask for a code of an authenticator app too"),
    context,
  );
  factorCommand(
    command("drop-second-factor <user>", "take a user's second factor off, for who lost it"),
    context,
  );
  removeCommand(command("remove <user>", "remove a user; the user's sessions end"), context);
}

function addCommand(command: Command, context: CommandContext): void {
  command
    .option("--permissions <set...>", "permission sets", ["viewer"])
    .action(async (username: string, flags: LocalFlags & { readonly permissions: readonly string[] }) => {
      const password = await askNewKey("Password");
      const user = await userCalls(context, flags).add(username, password, flags.permissions);
      const words = `user ${user.username} added; the password is to be changed at the first sign-in`;
      context.output().result(user, () => words);
    });
}

function listCommand(command: Command, context: CommandContext): void {
  withListFlags(command, { columns: SORTS }).action(async (flags: ListFlags) => {
    const users = await userCalls(context, flags).list(flags);
    context.output().table(
      COLUMNS,
      users.map((user) => ({ ...user, permissions: user.permissions.join(" ") })),
    );
  });
}

function passwdCommand(command: Command, context: CommandContext): void {
  command.action(async (name: string, flags: LocalFlags) => {
    const id = await setPassword(context, flags, name);
    context.output().result({ changed: id }, () => `password of ${name} changed; all sessions have ended`);
  });
}

/** By the server, and where none runs here in its store; gives the user's id. */
async function setPassword(context: CommandContext, flags: LocalFlags, name: string): Promise<string> {
  const ask = () => askNewKey("New password");
  const calls = userCalls(context, flags);
  try {
    const id = await calls.idOf(name);
    await calls.setPassword(id, await ask());
    return id;
  } catch (error) {
    const noServer = error instanceof CliError && error.exitCode === EXIT.notRunning;
    if (!noServer || !("socketPath" in (await serverMeant(context, flags)))) throw error;
    const { setPasswordOffline } = await import("./user-offline.ts");
    return await setPasswordOffline(context, flags, { name, ask });
  }
}

function permissionsCommand(command: Command, context: CommandContext): void {
  command.action(async (name: string, sets: string[], flags: LocalFlags) => {
    const calls = userCalls(context, flags);
    const user = await calls.setPermissions(await calls.idOf(name), sets);
    context
      .output()
      .result(user, () => `${user.username} has ${user.permissions.join(" ") || "nothing"} now`);
  });
}

function factorCommand(command: Command, context: CommandContext): void {
  command.action(async (name: string, flags: LocalFlags) => {
    const calls = userCalls(context, flags);
    const id = await calls.idOf(name);
    await calls.takeFactorOff(id);
    context.output().result({ changed: id }, () => `${name} signs in by password alone now`);
  });
}

function removeCommand(command: Command, context: CommandContext): void {
  command.action(async (name: string, flags: LocalFlags) => {
    const calls = userCalls(context, flags);
    const id = await calls.idOf(name);
    await calls.remove(id);
    context.output().result({ removed: id }, () => `user ${name} removed`);
  });
}
