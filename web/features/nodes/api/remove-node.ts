import { useMutation } from "@tanstack/react-query";
import { call } from "#lib/api.ts";
import { useClusterChanged } from "./cluster-changed.ts";

/** Takes another server off the list of all members. */
export function useRemoveNode() {
  const changed = useClusterChanged();
  return useMutation({
    mutationFn: (id: string) => call("DELETE /api/v1/nodes/{id}", { path: { id } }),
    onSuccess: changed,
  });
}
