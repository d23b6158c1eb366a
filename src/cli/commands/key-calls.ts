import * as z from "zod";
import type { Secret } from "#platform/lib/secret.ts";
import type { CommandContext } from "../command-context.ts";
import { callLocal, type LocalFlags } from "./local-server.ts";

const status = z.object({ initialized: z.boolean(), unlocked: z.boolean() });
const progress = z.object({ running: z.boolean(), done: z.number(), total: z.number() });
const report = z.object({
  resealed: z.number(),
  skipped: z.number(),
  failed: z.array(z.object({ table: z.string(), id: z.string() })),
});

/** Whether a server key is set, and whether the server is unlocked. */
export type KeyStatus = z.infer<typeof status>;
/** How far the re-sealing of the stored secrets is. */
export type ResealProgress = z.infer<typeof progress>;
/** What a rotation re-sealed. */
export type ResealReport = z.infer<typeof report>;

const details = status.extend({
  fingerprint: z.string().nullable(),
  set_at: z.string().nullable(),
  recovery_key: z.boolean(),
  unlocks_itself: z.boolean(),
});

const PATH = "/api/v1/key";
/** All secrets are sealed anew in one call. */
const LONG_MS = 10 * 60_000;

/** The calls that the commands of the server key make; each throws CliError with the server's refusal. */
export function serverKeyCalls(context: CommandContext, flags: LocalFlags) {
  const get = async (path: string) =>
    (await callLocal(context, flags, { method: "GET", path: `${PATH}/${path}` })).body;
  const post = (path: string, body?: object) =>
    callLocal(context, flags, {
      method: "POST",
      path: `${PATH}/${path}`,
      deadlineMs: LONG_MS,
      ...(body === undefined ? {} : { body }),
    });
  return {
    status: async () => status.parse(await get("status")),
    details: async () => details.parse(await get("details")),
    progress: async () => progress.parse(await get("reseal")),
    initialize: async (key: Secret, recovery: boolean) =>
      status
        .extend({ recovery_key: z.string().optional() })
        .parse((await post("initialize", { key: key.expose(), recovery })).body),
    unlock: async (key: Secret) => status.parse((await post("unlock", { key: key.expose() })).body),
    lock: async () => status.parse((await post("lock")).body),
    /** Undefined where it goes on for longer than a call may take. */
    rotate: async (current: Secret, next: Secret): Promise<ResealReport | undefined> => {
      const answer = await post("rotate", { current_key: current.expose(), new_key: next.expose() });
      return answer.status === 202 ? undefined : report.parse(answer.body);
    },
    revokeRecovery: () => callLocal(context, flags, { method: "DELETE", path: `${PATH}/recovery` }),
  };
}

export type ServerKeyCalls = ReturnType<typeof serverKeyCalls>;
