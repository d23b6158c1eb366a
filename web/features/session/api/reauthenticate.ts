import { useMutation } from "@tanstack/react-query";
import { call } from "#lib/api.ts";
import type { Schemas } from "#lib/api-types.ts";

/** Gives the password again, as some calls ask for. */
export function useReauthenticate() {
  return useMutation({
    mutationFn: (body: Schemas["PasswordAgain"]) => call("POST /api/v1/me/reauthenticate", { body }),
  });
}
