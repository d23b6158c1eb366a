import { useMutation, useQueryClient } from "@tanstack/react-query";
import { call } from "#lib/api.ts";
import type { Schemas } from "#lib/api-types.ts";
import { firstRun } from "./first-run.ts";

/** Leaves a step out, or ends the first steps; the server remembers. */
export function useChangeFirstRun() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["FirstRun"]) => call("PUT /api/v1/first-run", { body }),
    onSuccess: (state) => client.setQueryData(firstRun().queryKey, state),
  });
}
