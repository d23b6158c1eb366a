import { useMutation, useQueryClient } from "@tanstack/react-query";
import { call } from "#lib/api.ts";
import { listProviders } from "./list-providers.ts";
import { listSecrets } from "./list-secrets.ts";

/** Sets a sealed secret of the configuration file. Its text is asked for when it is sent, and kept nowhere. */
export function useSetSecret(name: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (value: () => string) =>
      call("PUT /api/v1/credentials/{name}", { path: { name }, body: { value: value() } }),
    onSuccess: () =>
      Promise.all(
        [listProviders().queryKey, listSecrets().queryKey].map((queryKey) =>
          client.invalidateQueries({ queryKey }),
        ),
      ),
  });
}
