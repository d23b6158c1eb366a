import { useMutation, useQueryClient } from "@tanstack/react-query";
import { call } from "#lib/api.ts";
import type { Schemas } from "#lib/api-types.ts";
import { keyDetails } from "./key-details.ts";
import { resealProgress } from "./reseal-progress.ts";

/** Changes the server key; with equal keys it re-seals once more what could not be. */
export function useRotateKey() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["ServerKeyRotation"]) => call("POST /api/v1/key/rotate", { body }),
    onSettled: () => {
      void client.invalidateQueries({ queryKey: resealProgress().queryKey });
      return client.invalidateQueries({ queryKey: keyDetails().queryKey });
    },
  });
}
