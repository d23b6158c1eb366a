import { useMutation } from "@tanstack/react-query";
import { call } from "#lib/api.ts";

/** Takes a user's second factor off, for who lost it. */
export function useDropSecondFactor() {
  return useMutation({
    mutationFn: (id: string) => call("DELETE /api/v1/users/{id}/second-factor", { path: { id } }),
  });
}
