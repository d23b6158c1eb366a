import { useMutation, useQueryClient } from "@tanstack/react-query";
import { call } from "#lib/api.ts";
import { keyStatus } from "./key-status.ts";

/** Locks the server at once, for everybody. */
export function useLockServer() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => call("POST /api/v1/key/lock"),
    onSuccess: (status) => client.setQueryData(keyStatus().queryKey, status),
  });
}
