import { useMutation, useQueryClient } from "@tanstack/react-query";
import { call } from "#lib/api.ts";
import type { Schemas } from "#lib/api-types.ts";
import { USERS } from "./list-users.ts";

/** Adds somebody who may sign in. */
export function useCreateUser() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["NewUser"]) => call("POST /api/v1/users", { body }),
    onSuccess: () => client.invalidateQueries({ queryKey: USERS }),
  });
}
