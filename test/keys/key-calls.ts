import * as z from "zod";
import type { Answer, TestClaviger } from "#test/claviger.ts";

const made = z.looseObject({ id: z.string(), key: z.string(), name: z.string() });
const PATH = "/api/v1/keys";

export const bearing = (key: string) => ({ authorization: `Bearer ${key}` });

/** What one does with keys over the API: as `local`, or with the key of `by`. */
export function keyCalls(claviger: Pick<TestClaviger, "call" | "control">, by?: string) {
  const call = (method: string, path: string, body?: unknown): Promise<Answer> => {
    const sent = { method, path, ...(body === undefined ? {} : { body }) };
    return by === undefined ? claviger.control(sent) : claviger.call({ ...sent, headers: bearing(by) });
  };
  const create = (name: string, terms: object = {}) =>
    call("POST", PATH, { name, permissions: ["gateway"], ...terms });
  const rotate = (id: string, overlap: unknown) => call("POST", `${PATH}/${id}/rotate`, { overlap });
  return {
    create,
    rotate,
    /** The new key; throws when it was refused. */
    created: async (name: string, terms: object = {}) => made.parse((await create(name, terms)).json),
    rotated: async (id: string, overlap: string) => made.parse((await rotate(id, overlap)).json),
    show: (id: string) => call("GET", `${PATH}/${id}`),
    named: (name: string) => call("GET", `${PATH}?name=${name}`),
    update: (id: string, change: unknown) => call("PATCH", `${PATH}/${id}`, change),
    revoke: (id: string) => call("DELETE", `${PATH}/${id}`),
    leaked: (key: unknown) => call("POST", `${PATH}/leaked`, { key }),
  };
}
