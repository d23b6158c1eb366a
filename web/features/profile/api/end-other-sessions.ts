import { useMutation, useQueryClient } from "@tanstack/react-query";
import { call } from "#lib/api.ts";
import { listSessions } from "./list-sessions.ts";

/** Ends all of one's own sessions but this one. */
export function useEndOtherSessions() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => call("DELETE /api/v1/me/sessions"),
    onSuccess: () => client.invalidateQueries({ queryKey: listSessions().queryKey }),
  });
}
