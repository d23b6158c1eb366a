import type { Command } from "commander";
import type { CommandContext } from "../command-context.ts";
import { keyCalls, type ShownKey } from "./api-key-calls.ts";
import { type ListFlags, withListFlags } from "./list-flags.ts";
import type { LocalFlags } from "./local-server.ts";

const COLUMNS = [
  "id",
  "name",
  "last4",
  "permissions",
  "limits",
  "created_at",
  "expires_at",
  "last_used_at",
  "last_address",
  "revoked_at",
] as const;
const SORTS = ["name", "created_at", "last_used_at", "expires_at"];
const STATES = ["in_force", "replaced", "expired", "revoked"];

/** `api-key list` */
export function listCommand(command: Command, context: CommandContext): void {
  withListFlags(command, { columns: SORTS, states: STATES }).action(async (flags: ListFlags) => {
    const rows = (await keyCalls(context, flags).list(flags)).map((row) => ({
      ...row,
      permissions: row.permissions.join(" "),
      limits: limitsText(row),
      models: row.models?.join(" ") ?? null,
      allowed_ips: row.allowed_ips?.join(" ") ?? null,
    }));
    context.output().table(COLUMNS, rows);
  });
}

/** `api-key show ID|NAME` */
export function showCommand(command: Command, context: CommandContext): void {
  command.action(async (idOrName: string, flags: LocalFlags) => {
    const calls = keyCalls(context, flags);
    const key = await calls.show(await calls.idOf(idOrName));
    context.output().result(key, () => describeKey(key));
  });
}

/** A key for a person: a line for each of its terms. */
export function describeKey(key: ShownKey): string {
  const lines: readonly (readonly [string, string | null])[] = [
    ["id", key.id],
    ["name", key.name],
    ["key", `${key.prefix}…${key.last4}`],
    ["permissions", key.permissions.join(" ") || "none"],
    ["limits", limitsText(key) || "none"],
    ["models", key.models === null ? "all" : key.models.join(" ") || "none"],
    ["addresses", key.allowed_ips?.join(" ") ?? "all"],
    ["created", key.created_at],
    ["expires", key.expires_at ?? "never"],
    [
      "last used",
      key.last_used_at === null ? "never" : `${key.last_used_at} from ${key.last_address ?? "-"}`,
    ],
    ["replaces", key.replaces],
    ["replaced by", key.replaced_by],
    ["revoked", key.revoked_at],
  ];
  const shown = lines.filter(([, value]) => value !== null);
  return shown.map(([name, value]) => `${`${name}:`.padEnd(13)} ${value}`).join("\n");
}

function limitsText({ limits }: ShownKey): string {
  return Object.entries(limits)
    .map(([name, value]) => `${name}=${value}`)
    .join(" ");
}
