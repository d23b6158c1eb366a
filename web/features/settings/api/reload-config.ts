import { useMutation, useQueryClient } from "@tanstack/react-query";
import { call } from "#lib/api.ts";
import { settingsInForce } from "./settings-in-force.ts";

/** Has the server read its configuration file anew; where that is refused, nothing changed. */
export function useReloadConfig() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => call("POST /api/v1/config/reload"),
    onSuccess: () => client.invalidateQueries({ queryKey: settingsInForce().queryKey }),
  });
}
