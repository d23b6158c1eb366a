import { useMutation } from "@tanstack/react-query";
import { call } from "#lib/api.ts";
import type { Schemas } from "#lib/api-types.ts";

/** Has the second factor asked for from now on; the recovery codes are in this answer alone. */
export function useConfirmSecondFactor() {
  return useMutation({
    mutationFn: (body: Schemas["SecondFactorCode"]) =>
      call("POST /api/v1/me/second-factor/confirm", { body }),
  });
}
