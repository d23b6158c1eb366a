import * as z from "zod";
import type { CommandContext } from "../command-context.ts";
import { CliError } from "../exit-codes.ts";
import { callLocal, type LocalFlags } from "./local-server.ts";

const body = z.object({
  name: z.string(),
  kind: z.string(),
  base_url: z.string(),
  options: z.record(z.string(), z.unknown()),
  credentials: z.array(z.object({ id: z.string(), type: z.string(), hint: z.string() })),
});
const page = z.object({ data: z.array(body), next_cursor: z.string().nullable() });
const verdict = z.object({ ok: z.boolean(), error: z.string().optional() });

/** A provider as the server shows it. */
export type ShownProvider = z.infer<typeof body>;

const PATH = "/api/v1/providers";
const pathOf = (name: string) => `${PATH}/${encodeURIComponent(name)}`;

/** The calls that the provider commands make to the local server; each throws CliError with the server's refusal. */
export function providerCalls(context: CommandContext, flags: LocalFlags) {
  const call = async (method: "GET" | "POST" | "PATCH" | "DELETE", path: string, sent?: object) =>
    (await callLocal(context, flags, { method, path, ...(sent === undefined ? {} : { body: sent }) })).body;
  const get = async (name: string) => body.parse(await call("GET", pathOf(name)));
  return {
    get,
    /** Undefined for a name nobody has. */
    find: (name: string) =>
      get(name).catch((error: unknown) => {
        if (error instanceof CliError && error.problem?.code === "not_found") return undefined;
        throw error;
      }),
    list: async () => page.parse(await call("GET", `${PATH}?limit=1000`)).data,
    create: async (sent: object) => body.parse(await call("POST", PATH, sent)),
    change: async (name: string, sent: object) => body.parse(await call("PATCH", pathOf(name), sent)),
    remove: (name: string) => call("DELETE", pathOf(name)),
    test: async (name: string) => verdict.parse(await call("POST", `${pathOf(name)}/test`)),
  };
}
