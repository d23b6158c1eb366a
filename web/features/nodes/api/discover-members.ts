import { useMutation } from "@tanstack/react-query";
import { call } from "#lib/api.ts";

/** Listens for members on the server's networks, which takes three seconds. */
export function useDiscoverMembers() {
  return useMutation({ mutationFn: () => call("GET /api/v1/cluster/discover") });
}
