import { useMutation } from "@tanstack/react-query";
import { call } from "#lib/api.ts";
import { useClusterChanged } from "./cluster-changed.ts";

/** Gives this server another name in its cluster. */
export function useRenameNode() {
  const changed = useClusterChanged();
  return useMutation({
    mutationFn: (name: string) => call("POST /api/v1/cluster/rename", { body: { name } }),
    onSuccess: changed,
  });
}
