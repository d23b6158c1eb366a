import * as z from "zod";
import { systemRandom } from "#platform/lib/random.ts";
import type { Answer, TestClaviger } from "#test/claviger.ts";

/** A server key nobody has had before. */
export const freshKey = (): string => systemRandom.bytes(18).toString("base64");

/** The credential of someone who may do everything. */
export async function adminOf(claviger: TestClaviger, name = "admin"): Promise<Record<string, string>> {
  return { authorization: `Bearer ${(await claviger.issueKey(name, ["superadmin"])).key}` };
}

/** Calls below `/api/v1/key` over TCP, as `headers` says who it is. */
export function keyApi(claviger: TestClaviger, headers: Record<string, string>) {
  const post = (path: string, body?: unknown) =>
    claviger.call({ method: "POST", path: `/api/v1/key/${path}`, headers, body });
  return {
    post,
    initialize: (key: string, more = {}) => post("initialize", { key, ...more }),
    unlock: (key: string) => post("unlock", { key }),
    rotate: (current_key: string, new_key: string) => post("rotate", { current_key, new_key }),
    lock: () => post("lock"),
    reseal: () => claviger.call({ path: "/api/v1/key/reseal", headers }),
    revokeRecovery: () => claviger.call({ method: "DELETE", path: "/api/v1/key/recovery", headers }),
  };
}

/** The status and, of an error, its code. */
export function outcomeOf({ status, json }: Answer): number | string {
  const { data } = problem.safeParse(json);
  return data === undefined ? status : `${status} ${data.code}`;
}

const problem = z.object({ code: z.string() });
const rows = z.object({
  data: z.array(
    z.object({ actor: z.string(), action: z.string(), outcome: z.string(), address: z.string().nullable() }),
  ),
});

/** What audit says of the server key, oldest first: `action outcome`. */
export async function audited(claviger: TestClaviger): Promise<string[]> {
  const { json } = await claviger.control({ path: "/api/v1/audit?limit=1000" });
  return rows
    .parse(json)
    .data.filter(({ action }) => /^key\.(initialize|unlock|rotate|lock|recovery)/.test(action))
    .map(({ action, outcome }) => `${action} ${outcome}`)
    .toReversed();
}
