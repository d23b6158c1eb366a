import { useMutation, useQueryClient } from "@tanstack/react-query";
import { call } from "#lib/api.ts";
import { USERS } from "./list-users.ts";

/** Removes a user; the user's sessions end. */
export function useRemoveUser() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => call("DELETE /api/v1/users/{id}", { path: { id } }),
    onSuccess: () => client.invalidateQueries({ queryKey: USERS }),
  });
}
