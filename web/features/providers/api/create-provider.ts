import { useMutation, useQueryClient } from "@tanstack/react-query";
import { call } from "#lib/api.ts";
import type { Schemas } from "#lib/api-types.ts";
import { listProviders } from "./list-providers.ts";

/** Adds a provider. The body is made when it is sent, so that its credentials are kept nowhere. */
export function useCreateProvider() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: () => Schemas["NewProvider"]) => call("POST /api/v1/providers", { body: body() }),
    onSuccess: () => client.invalidateQueries({ queryKey: listProviders().queryKey }),
  });
}
