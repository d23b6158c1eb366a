import { useMutation } from "@tanstack/react-query";
import { call } from "#lib/api.ts";
import type { Schemas } from "#lib/api-types.ts";
import { useClusterChanged } from "./cluster-changed.ts";

/** Has this server join the cluster of a member, by the PIN. */
export function useJoinCluster() {
  const changed = useClusterChanged();
  return useMutation({
    mutationFn: (body: Schemas["ClusterToJoin"]) => call("POST /api/v1/cluster/join", { body }),
    onSuccess: changed,
  });
}
