import { useMutation } from "@tanstack/react-query";
import { call } from "#lib/api.ts";
import { useClusterChanged } from "./cluster-changed.ts";

/** Begins a cluster, of which this server is the first member. */
export function useBeginCluster() {
  const changed = useClusterChanged();
  return useMutation({
    mutationFn: (pin: string) => call("POST /api/v1/cluster/init", { body: { pin } }),
    onSuccess: changed,
  });
}
