import { useMutation } from "@tanstack/react-query";
import { call } from "#lib/api.ts";
import { useClusterChanged } from "./cluster-changed.ts";

/** Has this server leave its cluster; the answer names who could not be told. */
export function useLeaveCluster() {
  const changed = useClusterChanged();
  return useMutation({ mutationFn: () => call("POST /api/v1/cluster/leave"), onSuccess: changed });
}
