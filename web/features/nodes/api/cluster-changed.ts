import { useQueryClient } from "@tanstack/react-query";
import { clusterStatus } from "./cluster-status.ts";
import { listNodes } from "./list-nodes.ts";

/** Reads afresh who is in the cluster. */
export function useClusterChanged(): () => Promise<void> {
  const client = useQueryClient();
  return async () => {
    await Promise.all(
      [clusterStatus().queryKey, listNodes().queryKey].map((queryKey) =>
        client.invalidateQueries({ queryKey }),
      ),
    );
  };
}
