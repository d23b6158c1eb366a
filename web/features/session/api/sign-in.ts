import { useMutation, useQueryClient } from "@tanstack/react-query";
import { call } from "#lib/api.ts";
import type { Schemas } from "#lib/api-types.ts";
import { whoAmI } from "./who-am-i.ts";

/** Signs in; the browser holds the session. */
export function useSignIn() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["Password"]) => call("POST /login/password", { body }),
    onSuccess: () => client.invalidateQueries({ queryKey: whoAmI().queryKey }),
  });
}
