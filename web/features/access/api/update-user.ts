import { useMutation, useQueryClient } from "@tanstack/react-query";
import { call } from "#lib/api.ts";
import type { Schemas } from "#lib/api-types.ts";
import { USERS } from "./list-users.ts";

/** Gives a user other permission sets, from the next request on; one's own change what one sees here. */
export function useUpdateUser(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["UserChange"]) => call("PATCH /api/v1/users/{id}", { path: { id }, body }),
    onSuccess: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: USERS }),
        client.invalidateQueries({ queryKey: ["me"] }),
      ]),
  });
}
