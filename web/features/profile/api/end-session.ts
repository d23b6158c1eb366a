import { useMutation, useQueryClient } from "@tanstack/react-query";
import { call } from "#lib/api.ts";
import { listSessions } from "./list-sessions.ts";

/** Ends one of one's own sessions. */
export function useEndSession() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => call("DELETE /api/v1/me/sessions/{id}", { path: { id } }),
    onSuccess: () => client.invalidateQueries({ queryKey: listSessions().queryKey }),
  });
}
