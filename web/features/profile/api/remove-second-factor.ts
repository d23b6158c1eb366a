import { useMutation, useQueryClient } from "@tanstack/react-query";
import { whoAmI } from "#features/session/api/who-am-i.ts";
import { call } from "#lib/api.ts";

/** Takes one's own second factor off. */
export function useRemoveSecondFactor() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => call("DELETE /api/v1/me/second-factor"),
    onSuccess: () => client.invalidateQueries({ queryKey: whoAmI().queryKey }),
  });
}
