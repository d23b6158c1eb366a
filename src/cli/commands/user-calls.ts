import * as z from "zod";
import type { Secret } from "#platform/lib/secret.ts";
import type { CommandContext } from "../command-context.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { type ListFlags, listed } from "./list-flags.ts";
import { callLocal, type LocalFlags } from "./local-server.ts";

const row = z.object({
  id: z.string(),
  username: z.string(),
  permissions: z.array(z.string()),
  must_change_password: z.boolean(),
  second_factor: z.boolean(),
  created_at: z.string(),
  updated_at: z.string(),
  last_signed_in_at: z.string().nullable(),
});
const enrolment = z.object({ secret: z.string(), uri: z.string() });
const recovery = z.object({ recovery_codes: z.array(z.string()) });

const PATH = "/api/v1/users";

/** The calls that the commands of users make; each throws CliError with the server's refusal. */
export function userCalls(context: CommandContext, flags: LocalFlags) {
  const call = async (method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE", path: string, body?: object) =>
    (await callLocal(context, flags, { method, path, ...(body === undefined ? {} : { body }) })).body;
  const list = (wanted: ListFlags = { ...flags, limit: 1000 }) =>
    listed(context, wanted, { path: PATH, row });
  return {
    list,
    /** The id of the user of this name, or of this id. */
    idOf: async (name: string): Promise<string> => {
      const wanted = name.toLowerCase();
      const users = await list({ ...flags, search: wanted, limit: Infinity });
      const found = users.find(({ id, username }) => id === name || username === wanted);
      if (found !== undefined) return found.id;
      throw noSuchUser(name, users.length || (await list()).length);
    },
    add: async (username: string, password: Secret, permissions: readonly string[]) =>
      row.parse(await call("POST", PATH, { username, password: password.expose(), permissions })),
    /** The first one, who keeps the password. */
    addFirst: async (username: string, password: Secret) => {
      const rights = { permissions: ["superadmin"], must_change_password: false };
      return row.parse(await call("POST", PATH, { username, password: password.expose(), ...rights }));
    },
    setPermissions: async (id: string, permissions: readonly string[]) =>
      row.parse(await call("PATCH", `${PATH}/${id}`, { permissions })),
    setPassword: (id: string, password: Secret) =>
      call("PUT", `${PATH}/${id}/password`, { password: password.expose(), must_change_password: false }),
    beginFactor: async (id: string) => enrolment.parse(await call("POST", `${PATH}/${id}/second-factor`)),
    confirmFactor: async (id: string, code: string) =>
      recovery.parse(await call("POST", `${PATH}/${id}/second-factor/confirm`, { code })),
    takeFactorOff: (id: string) => call("DELETE", `${PATH}/${id}/second-factor`),
    remove: (id: string) => call("DELETE", `${PATH}/${id}`),
  };
}

/** What is said where nobody has this id or name, of so many users. */
export function noSuchUser(name: string, users: number): CliError {
  const list = "the users are listed by: claviger user list";
  const first = "nobody signed in yet; what the first one signs in with is shown by: claviger setup-code";
  return new CliError(`no user is called ${name}`, {
    exitCode: EXIT.data,
    repair: users === 0 ? first : list,
  });
}
