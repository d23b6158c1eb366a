import { queryOptions } from "@tanstack/react-query";
import { call } from "#lib/api.ts";

const WHILE_LOCKED_MS = 2000;
const WHILE_OPEN_MS = 30_000;

/** Whether a server key is set, and whether the server is open; asked every 2 seconds while it is not, or cannot be reached. */
export function keyStatus() {
  return queryOptions({
    queryKey: ["key-status"],
    queryFn: ({ signal }) => call("GET /api/v1/key/status", { signal }),
    refetchInterval: ({ state }) =>
      state.status === "success" && state.data?.unlocked === true ? WHILE_OPEN_MS : WHILE_LOCKED_MS,
    // A tab that nobody looks at is there again when somebody does.
    refetchIntervalInBackground: true,
  });
}
