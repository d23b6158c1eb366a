import { useMutation, useQueryClient } from "@tanstack/react-query";
import { call } from "#lib/api.ts";
import { listProviders } from "./list-providers.ts";

/** Removes a provider and its credentials. */
export function useRemoveProvider() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (name: string) => call("DELETE /api/v1/providers/{name}", { path: { name } }),
    // What is gone is not asked for once more.
    onSuccess: (_, name) =>
      client.invalidateQueries({
        queryKey: listProviders().queryKey,
        predicate: ({ queryKey }) => queryKey[1] !== name,
      }),
  });
}
