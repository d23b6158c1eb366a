import { useMutation, useQueryClient } from "@tanstack/react-query";
import { call } from "#lib/api.ts";
import { KEYS } from "./list-keys.ts";

/** Revokes a key: it is refused from now on, and its running answers end. */
export function useRevokeKey() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => call("DELETE /api/v1/keys/{id}", { path: { id } }),
    onSuccess: () => client.invalidateQueries({ queryKey: KEYS }),
  });
}
