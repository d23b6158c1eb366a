import * as z from "zod";
import type { CommandContext } from "../command-context.ts";
import { type ListFlags, listed } from "./list-flags.ts";
import { callLocal, type LocalFlags } from "./local-server.ts";

const report = z.object({ restart_needed: z.array(z.string()) });
const identity = z.object({
  name: z.string(),
  id: z.string(),
  permissions: z.array(z.string()),
  expires_at: z.string().nullable(),
  last_used_at: z.string().nullable(),
});
const permissionSet = z.object({
  name: z.string(),
  source: z.string(),
  allow: z.array(z.string()),
  deny: z.array(z.string()),
});

const inForce = z.object({
  file: z.string().nullable(),
  settings: z.array(
    z.object({ name: z.string(), value: z.unknown(), source: z.string(), restart_needed: z.boolean() }),
  ),
});

/** `config show`: the settings as the running server has them, where each is from, and which wait for a restart. */
export async function showSettings(context: CommandContext, flags: LocalFlags): Promise<void> {
  const { body } = await callLocal(context, flags, { method: "GET", path: "/api/v1/settings" });
  const rows = inForce.parse(body).settings.map(({ name, value, source, restart_needed }) => ({
    setting: name,
    value: typeof value === "string" ? value : JSON.stringify(value),
    from: source,
    restart_needed,
  }));
  context.output().table(["setting", "value", "from", "restart_needed"], rows);
}

/** `config reload`: has the server read its configuration file anew; what is wrong with that is told, and nothing changed. */
export async function reloadConfig(context: CommandContext, flags: LocalFlags): Promise<void> {
  const call = { method: "POST", path: "/api/v1/config/reload" } as const;
  const done = report.parse((await callLocal(context, flags, call)).body);
  const needed = done.restart_needed.join(", ");
  context
    .output()
    .result(done, () =>
      needed === ""
        ? "the configuration is in force"
        : `the configuration is in force, but for these settings, which need a restart: ${needed}`,
    );
}

/** `config identities`: the identities of the file as the running server has them, and when each was last used. */
export async function listIdentities(context: CommandContext, flags: ListFlags): Promise<void> {
  const found = await listed(context, flags, { path: "/api/v1/identities", row: identity });
  const rows = found.map((row) => ({ ...row, permissions: row.permissions.join(" ") }));
  context.output().table(["name", "id", "permissions", "expires_at", "last_used_at"], rows);
}

/** `config permission-sets`: those the server has from itself and from its file, with their rules. */
export async function listPermissionSets(context: CommandContext, flags: ListFlags): Promise<void> {
  const found = await listed(context, flags, { path: "/api/v1/permission-sets", row: permissionSet });
  const rows = found.map((row) => ({ ...row, allow: row.allow.join(" "), deny: row.deny.join(" ") }));
  context.output().table(["name", "source", "allow", "deny"], rows);
}

/** `config openapi`: the description of the running server's API, as it gives it; on one line with `--json`. */
export async function describeApi(context: CommandContext, flags: LocalFlags): Promise<void> {
  const { body } = await callLocal(context, flags, { method: "GET", path: "/api/v1/openapi.json" });
  context.output().result(z.record(z.string(), z.unknown()).parse(body), () => JSON.stringify(body, null, 2));
}
