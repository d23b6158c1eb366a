import { useMutation, useQueryClient } from "@tanstack/react-query";
import { call } from "#lib/api.ts";
import { keyDetails } from "./key-details.ts";

/** From then on the server key alone unlocks. */
export function useRevokeRecoveryKey() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => call("DELETE /api/v1/key/recovery"),
    onSuccess: () => client.invalidateQueries({ queryKey: keyDetails().queryKey }),
  });
}
