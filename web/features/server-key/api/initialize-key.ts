import { useMutation, useQueryClient } from "@tanstack/react-query";
import { call } from "#lib/api.ts";
import type { Schemas } from "#lib/api-types.ts";
import { keyDetails } from "./key-details.ts";
import { keyStatus } from "./key-status.ts";

/** Sets the server key; the recovery key, where one is wanted, is in this answer alone. */
export function useInitializeKey() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["NewServerKey"]) => call("POST /api/v1/key/initialize", { body }),
    onSuccess: ({ initialized, unlocked }) => {
      client.setQueryData(keyStatus().queryKey, { initialized, unlocked });
      return client.invalidateQueries({ queryKey: keyDetails().queryKey });
    },
  });
}
