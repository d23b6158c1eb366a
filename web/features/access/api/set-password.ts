import { useMutation, useQueryClient } from "@tanstack/react-query";
import { call } from "#lib/api.ts";
import type { Schemas } from "#lib/api-types.ts";
import { USERS } from "./list-users.ts";

/** Gives a user another password; the user's sessions end. */
export function useSetPassword(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["PasswordOfUser"]) =>
      call("PUT /api/v1/users/{id}/password", { path: { id }, body }),
    onSuccess: () => client.invalidateQueries({ queryKey: USERS }),
  });
}
