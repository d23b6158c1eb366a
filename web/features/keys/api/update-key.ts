import { useMutation, useQueryClient } from "@tanstack/react-query";
import { call } from "#lib/api.ts";
import type { Operations } from "#lib/api-types.ts";
import { KEYS } from "./list-keys.ts";

/** Changes what a key may do; it holds from the key's next request on. */
export function useUpdateKey(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: Operations["PATCH /api/v1/keys/{id}"]["body"]) =>
      call("PATCH /api/v1/keys/{id}", { path: { id }, body }),
    onSuccess: () => client.invalidateQueries({ queryKey: KEYS }),
  });
}
