import { useMutation, useQueryClient } from "@tanstack/react-query";
import { call } from "#lib/api.ts";
import type { Schemas } from "#lib/api-types.ts";
import { listProviders } from "./list-providers.ts";

/** Changes a provider. The body is made when it is sent, so that its credentials are kept nowhere. */
export function useChangeProvider(name: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: () => Schemas["ProviderChange"]) =>
      call("PATCH /api/v1/providers/{name}", { path: { name }, body: body() }),
    onSuccess: () => client.invalidateQueries({ queryKey: listProviders().queryKey }),
  });
}
