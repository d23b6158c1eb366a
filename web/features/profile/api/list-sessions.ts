import { call } from "#lib/api.ts";
import { pagesOf } from "#lib/pages-of.ts";

/** One's own sessions, newest first. */
export function listSessions() {
  return pagesOf(["sessions"], ({ signal }) => call("GET /api/v1/me/sessions", { signal }));
}
