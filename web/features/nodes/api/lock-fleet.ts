import { useMutation } from "@tanstack/react-query";
import { call } from "#lib/api.ts";
import { tellFleetLock } from "../fleet-lock-answer.tsx";

/** Locks all nodes. This server is among them, and its pages give way to the lock: the answer is told above them. */
export function useLockFleet() {
  return useMutation({
    mutationFn: () => call("POST /api/v1/cluster/lock"),
    onSuccess: ({ data }) => tellFleetLock(data),
  });
}
