import { useMutation, useQueryClient } from "@tanstack/react-query";
import { call } from "#lib/api.ts";
import type { Schemas } from "#lib/api-types.ts";

/** Changes one's own password: every other session ends. */
export function useChangePassword() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["PasswordChange"]) => call("PUT /api/v1/me/password", { body }),
    onSuccess: () => client.invalidateQueries(),
  });
}
