import { call } from "#lib/api.ts";

/** Revokes the key of a run that is over, also of one that was left. */
export function endTestKey(id: string): Promise<void> {
  return call("DELETE /api/v1/keys/{id}", { path: { id } });
}
