import { useMutation } from "@tanstack/react-query";
import { call } from "#lib/api.ts";
import { signal } from "#lib/session-signals.ts";

/** Ends this session; nothing of what it read is kept. */
export function useSignOut() {
  return useMutation({
    mutationFn: () => call("POST /logout"),
    onSuccess: () => signal("signed_out"),
  });
}
