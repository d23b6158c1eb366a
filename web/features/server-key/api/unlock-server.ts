import { useMutation, useQueryClient } from "@tanstack/react-query";
import { call } from "#lib/api.ts";
import type { Schemas } from "#lib/api-types.ts";
import { keyStatus } from "./key-status.ts";

/** Opens the server by its key, or the recovery key. */
export function useUnlockServer() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["ServerKey"]) => call("POST /api/v1/key/unlock", { body }),
    onSuccess: (status) => client.setQueryData(keyStatus().queryKey, status),
  });
}
