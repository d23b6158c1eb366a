import * as z from "zod";
import type { CommandContext } from "../command-context.ts";
import { CliError } from "../exit-codes.ts";
import { callLocal, type LocalFlags } from "./local-server.ts";

const body = z.object({
  name: z.string(),
  kind: z.string(),
  base_url: z.string(),
  options: z.record(z.string(), z.unknown()),
  source: z.enum(["file", "store"]),
  credentials: z.array(z.object({ id: z.string(), type: z.string(), hint: z.string() })),
  problems: z.array(z.string()).optional(),
});
const page = z.object({ data: z.array(body), next_cursor: z.string().nullable() });
const named = z.object({ name: z.string(), used_by: z.array(z.string()) });
const namedPage = z.object({ data: z.array(named), next_cursor: z.string().nullable() });
const verdict = z.object({
  ok: z.boolean(),
  latency_ms: z.number().optional(),
  models: z.number().optional(),
  error: z.string().optional(),
});

/** What a test of a provider found. */
export type ProviderVerdict = z.infer<typeof verdict>;

/** A provider as the server shows it. */
export type ShownProvider = z.infer<typeof body>;

/** Which providers, and in which order; all in their own when nothing is said. */
export interface WantedProviders {
  readonly sort?: string;
  readonly search?: string;
}

const PATH = "/api/v1/providers";
const SECRETS = "/api/v1/credentials";
const pathOf = (name: string) => `${PATH}/${encodeURIComponent(name)}`;

/** A secret that providers of the configuration file refer to. */
type NamedSecret = z.infer<typeof named>;

/** The calls that the provider commands make to the local server; each throws CliError with the server's refusal. */
export function providerCalls(context: CommandContext, flags: LocalFlags) {
  const call = async (method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE", path: string, sent?: object) =>
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
    /** All that fit, page by page. */
    list: async ({ sort, search }: WantedProviders = {}): Promise<readonly ShownProvider[]> => {
      const wanted = { limit: "1000", ...(sort && { sort }), ...(search && { search }) };
      const found: ShownProvider[] = [];
      for (let cursor: string | null = ""; cursor !== null; ) {
        const query = new URLSearchParams({ ...wanted, ...(cursor !== "" && { cursor }) });
        const { data, next_cursor } = page.parse(await call("GET", `${PATH}?${query}`));
        found.push(...data);
        cursor = next_cursor;
      }
      return found;
    },
    create: async (sent: object) => body.parse(await call("POST", PATH, sent)),
    change: async (name: string, sent: object) => body.parse(await call("PATCH", pathOf(name), sent)),
    remove: (name: string) => call("DELETE", pathOf(name)),
    secrets: async (): Promise<readonly NamedSecret[]> =>
      namedPage.parse(await call("GET", `${SECRETS}?limit=1000`)).data,
    setSecret: (name: string, value: string) =>
      call("PUT", `${SECRETS}/${encodeURIComponent(name)}`, { value }),
    test: async (name: string) => verdict.parse(await call("POST", `${pathOf(name)}/test`)),
  };
}
