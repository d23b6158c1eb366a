import * as z from "zod";
import type { CommandContext } from "../command-context.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { type ListFlags, listed } from "./list-flags.ts";
import { callLocal, type LocalFlags } from "./local-server.ts";

const row = z.object({
  id: z.string(),
  name: z.string(),
  prefix: z.string(),
  last4: z.string(),
  permissions: z.array(z.string()),
  limits: z.record(z.string(), z.number()),
  models: z.array(z.string()).nullable(),
  allowed_ips: z.array(z.string()).nullable(),
  created_at: z.string(),
  expires_at: z.string().nullable(),
  last_used_at: z.string().nullable(),
  last_address: z.string().nullable(),
  revoked_at: z.string().nullable(),
  replaces: z.string().nullable(),
  replaced_by: z.string().nullable(),
});
const issued = row.extend({ key: z.string() });
const page = z.object({ data: z.array(row), next_cursor: z.string().nullable() });
const leak = z.object({
  key: row,
  requests: z.array(
    z.object({
      time: z.string(),
      request_id: z.string(),
      provider: z.string().nullable(),
      model: z.string(),
      status: z.number(),
    }),
  ),
});

/** A key as the server shows it. */
export type ShownKey = z.infer<typeof row>;

const PATH = "/api/v1/keys";
const KEY_TEXT = /^sk-claviger-/;
const ID = /^key_[0-9A-Za-z]{12}$/;

/** The calls that the commands of keys make to the local server; each throws CliError with the server's refusal. */
export function keyCalls(context: CommandContext, flags: LocalFlags) {
  const call = async (method: "GET" | "POST" | "PATCH" | "DELETE", path: string, body?: object) =>
    (await callLocal(context, flags, { method, path, ...(body === undefined ? {} : { body }) })).body;
  const pathOf = (id: string) => `${PATH}/${encodeURIComponent(id)}`;
  return {
    /** The id that is meant by an id or by the name of a key not revoked. */
    idOf: async (idOrName: string): Promise<string> => {
      if (ID.test(idOrName)) return idOrName;
      if (KEY_TEXT.test(idOrName))
        throw new CliError("that is a key itself; others can read it in the command now", {
          exitCode: EXIT.usage,
          repair: "revoke it by its text on stdin: claviger api-key revoke --leaked",
        });
      const { data } = page.parse(await call("GET", `${PATH}?name=${encodeURIComponent(idOrName)}`));
      const [found] = data;
      if (found !== undefined) return found.id;
      throw new CliError(`no key in force is called ${idOrName}`, {
        exitCode: EXIT.data,
        repair: "the keys are listed by: claviger api-key list",
      });
    },
    list: (wanted: ListFlags = { ...flags, limit: 1000 }) => listed(context, wanted, { path: PATH, row }),
    show: async (id: string) => row.parse(await call("GET", pathOf(id))),
    create: async (body: object) => issued.parse(await call("POST", PATH, body)),
    update: async (id: string, body: object) => row.parse(await call("PATCH", pathOf(id), body)),
    rotate: async (id: string, overlap: string) =>
      issued.parse(await call("POST", `${pathOf(id)}/rotate`, { overlap })),
    revoke: (id: string) => call("DELETE", pathOf(id)),
    revokeLeaked: async (key: string) => leak.parse(await call("POST", `${PATH}/leaked`, { key })),
  };
}
