import { useMutation, useQueryClient } from "@tanstack/react-query";
import { call } from "#lib/api.ts";
import type { Schemas } from "#lib/api-types.ts";
import { KEYS } from "./list-keys.ts";

/** Issues a key; its text is in this answer alone. */
export function useCreateKey() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["NewKey"]) => call("POST /api/v1/keys", { body }),
    onSuccess: () => client.invalidateQueries({ queryKey: KEYS }),
  });
}
