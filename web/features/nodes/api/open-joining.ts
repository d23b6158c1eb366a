import { useMutation } from "@tanstack/react-query";
import { call } from "#lib/api.ts";
import { useClusterChanged } from "./cluster-changed.ts";

/** Lets other servers join for 15 minutes. */
export function useOpenJoining() {
  const changed = useClusterChanged();
  return useMutation({ mutationFn: () => call("POST /api/v1/cluster/open"), onSuccess: changed });
}
