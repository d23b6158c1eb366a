import { useMutation, useQueryClient } from "@tanstack/react-query";
import { call } from "#lib/api.ts";
import { KEYS } from "./list-keys.ts";

/** Issues a key's successor; both hold until the overlap is over. */
export function useRotateKey(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: { readonly overlap: string }) =>
      call("POST /api/v1/keys/{id}/rotate", { path: { id }, body }),
    onSuccess: () => client.invalidateQueries({ queryKey: KEYS }),
  });
}
