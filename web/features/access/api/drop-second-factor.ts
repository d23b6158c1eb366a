import { useMutation, useQueryClient } from "@tanstack/react-query";
import { call } from "#lib/api.ts";
import { USERS } from "./list-users.ts";

/** Takes a user's second factor off, for who lost it. */
export function useDropSecondFactor() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => call("DELETE /api/v1/users/{id}/second-factor", { path: { id } }),
    onSuccess: () => client.invalidateQueries({ queryKey: USERS }),
  });
}
