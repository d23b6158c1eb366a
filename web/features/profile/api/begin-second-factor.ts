import { useMutation } from "@tanstack/react-query";
import { call } from "#lib/api.ts";

/** Makes a seed for an authenticator app; it is asked for once a code confirmed it. */
export function useBeginSecondFactor() {
  return useMutation({ mutationFn: () => call("POST /api/v1/me/second-factor") });
}
